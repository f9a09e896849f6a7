//! Pages of a listing, which both APIs number from 1: `results`, `totalCount` and `links`.
//!
//! A link `next` leads to the next page, and its absence to the end (core/api of Ops Manager, and `PaginatedAtlasGroupView`
//! of the Atlas specification). Of a link only the page's number is taken, so that no answer leads to another host.

use serde::Deserialize;
use serde_json::Value;

use crate::model::LiveEntity;
use crate::vendor::{Cursor, Page, VendorError};

/// The first page.
pub(super) const FIRST: u64 = 1;

/// The most results a page that the vendor takes. Older servers give at most 100 whatever is asked for.
pub(super) const PAGE_MAX: usize = 500;

/// A page of a listing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing<T> {
    results: Vec<T>,
    #[serde(default)]
    total_count: Value,
    #[serde(default)]
    links: Value,
}

/// The number of the page that a cursor means.
pub(super) fn number(page: Option<&Cursor>) -> Result<u64, VendorError> {
    let Some(Cursor(text)) = page else {
        return Ok(FIRST);
    };
    text.parse()
        .map_err(|_| VendorError::Unsupported(format!("`{}` is no number of a page", text.escape_debug())))
}

impl<T> Listing<T> {
    /// The page, of which `asked` results were asked for.
    pub(super) fn page(
        self,
        asked: usize,
        live: impl FnMut(T) -> Result<LiveEntity, VendorError>,
    ) -> Result<Page, VendorError> {
        let next = self.next(asked as u64)?;
        let found = self.results.len() as u64;
        Ok(Page {
            next: next.map(|number| Cursor(number.to_string())),
            total: self.total_count.as_u64(),
            // A full page tells how many the vendor really puts on one.
            page_size: next.map(|_| found).filter(|found| *found > 0),
            entities: self.results.into_iter().map(live).collect::<Result<_, _>>()?,
        })
    }

    /// The number of the next page. A listing that holds more than it leads to is not taken for complete: whatever is
    /// not on it would count as missing.
    fn next(&self, asked: u64) -> Result<Option<u64>, VendorError> {
        let here = self.here();
        if let Some(href) = self.link("next") {
            let next = page_of(href).ok_or_else(|| bad("the link to the next page names no page"))?;
            return match here {
                Some(here) if next <= here => Err(bad("the link to the next page leads back")),
                _ => Ok(Some(next)),
            };
        }
        let found = self.results.len() as u64;
        let linked = matches!(&self.links, Value::Array(links) if !links.is_empty());
        match (here, self.total_count.as_u64()) {
            _ if found == 0 => Ok(None),
            (Some(here), Some(total)) => {
                let seen = (here - FIRST).saturating_mul(asked).saturating_add(found);
                Ok((total > seen).then(|| here.saturating_add(1)))
            }
            _ if linked => Ok(None),
            (None, Some(total)) if total <= found => Ok(None),
            (_, None) if found < asked => Ok(None),
            _ => Err(bad("the page does not say where the listing goes on")),
        }
    }

    /// The number of this page, where its links tell it.
    fn here(&self) -> Option<u64> {
        let this = self.link("self").and_then(page_of);
        let before = || self.link("previous").and_then(page_of)?.checked_add(1);
        this.or_else(before).filter(|number| *number >= FIRST)
    }

    fn link(&self, rel: &str) -> Option<&str> {
        let links = self.links.as_array()?;
        let is = |link: &&Value| link.get("rel").and_then(Value::as_str) == Some(rel);
        links.iter().find(is)?.get("href")?.as_str()
    }
}

fn page_of(href: &str) -> Option<u64> {
    let (_, query) = href.split_once('?')?;
    let number = query.split('&').find_map(|part| part.strip_prefix("pageNum="))?;
    number.parse().ok()
}

fn bad(why: &str) -> VendorError {
    VendorError::BadAnswer(format!("the listing can't be read: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn page(body: Value, asked: usize) -> Result<Page, VendorError> {
        let listing: Listing<String> = serde_json::from_value(body).expect("a listing");
        listing.page(asked, |id| {
            Ok(LiveEntity {
                id,
                name: None,
                tags: None,
                handle: None,
            })
        })
    }

    fn link(rel: &str, href: &str) -> Value {
        json!({ "rel": rel, "href": href })
    }

    #[test]
    fn a_listing_goes_on_where_its_links_or_its_count_say() {
        let this = |number: u64| {
            link(
                "self",
                &format!("https://x/api/public/v1.0/groups?itemsPerPage=2&pageNum={number}"),
            )
        };
        let bare = || link("self", "https://x/api/public/v1.0/groups");
        let next = |query: &str| link("next", &format!("https://evil.example/groups?{query}"));
        let before = || link("previous", "https://x/groups?pageNum=2&itemsPerPage=2");
        for (results, total, links, want) in [
            // By the link, whatever host it names.
            (
                2,
                json!(3),
                json!([this(1), next("pageNum=2&itemsPerPage=2")]),
                Ok(Some(2)),
            ),
            (
                2,
                json!(null),
                json!([bare(), next("itemsPerPage=2&pageNum=2")]),
                Ok(Some(2)),
            ),
            (2, json!(9), json!([next("pageNum=7")]), Ok(Some(7))),
            (0, json!(9), json!([this(1), next("pageNum=2")]), Ok(Some(2))),
            // No link is the end.
            (1, json!(3), json!([this(2), before()]), Ok(None)),
            (2, json!(2), json!([bare()]), Ok(None)),
            (2, json!(null), json!([this(1)]), Ok(None)),
            (0, json!(0), json!([this(1)]), Ok(None)),
            (2, json!(5), json!([bare()]), Ok(None)),
            // By the count, where more is told of than was linked.
            (2, json!(3), json!([this(1)]), Ok(Some(2))),
            (2, json!(7), json!([this(3)]), Ok(Some(4))),
            (2, json!(7), json!([before()]), Ok(Some(4))),
            (0, json!(7), json!([this(3)]), Ok(None)),
            // Without links.
            (2, json!(2), json!(null), Ok(None)),
            (1, json!(null), json!([]), Ok(None)),
            (0, json!(null), json!(null), Ok(None)),
            (2, json!(3), json!(null), Err("where the listing goes on")),
            (2, json!(null), json!("none"), Err("where the listing goes on")),
            // Lies.
            (
                2,
                json!(9),
                json!([this(2), next("pageNum=2")]),
                Err("leads back"),
            ),
            (
                2,
                json!(9),
                json!([this(2), next("pageNum=1")]),
                Err("leads back"),
            ),
            (
                2,
                json!(9),
                json!([this(1), next("page=2")]),
                Err("names no page"),
            ),
            (
                2,
                json!(9),
                json!([this(1), link("next", "")]),
                Err("names no page"),
            ),
            (2, json!(9), json!([this(u64::MAX)]), Ok(None)),
            (2, json!(-1), json!([{ "rel": 7 }, 5, null]), Ok(None)),
        ] {
            let ids = vec!["x"; results];
            let body = json!({ "results": ids, "totalCount": total, "links": links });
            match (page(body.clone(), 2), want) {
                (Ok(page), Ok(want)) => {
                    assert_eq!(
                        page.next,
                        want.map(|number: u64| Cursor(number.to_string())),
                        "{body}"
                    );
                    assert_eq!(page.entities.len(), results, "{body}");
                    assert_eq!(page.total, total.as_u64(), "{body}");
                    let full = want.map(|_| results as u64).filter(|results| *results > 0);
                    assert_eq!(page.page_size, full, "{body}");
                }
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{body}: {error}"),
                (found, want) => panic!("{body}: {found:?} and not {want:?}"),
            }
        }
    }

    #[test]
    fn a_cursor_is_the_number_of_a_page() {
        assert_eq!(number(None), Ok(1));
        assert_eq!(number(Some(&Cursor("12".to_owned()))), Ok(12));
        for text in ["", "-1", "2&x=y", "two"] {
            assert!(number(Some(&Cursor(text.to_owned()))).is_err(), "{text}");
        }
    }

    proptest! {
        /// However many there are and however many the server really puts on a page, all are seen, each once.
        #[test]
        fn every_result_of_a_server_that_keeps_its_word_is_seen_once(all in 0usize..40, cap in 1usize..9, asked in 1usize..9) {
            let size = cap.min(asked);
            let mut seen = 0;
            let mut cursor = None;
            loop {
                let at = number(cursor.as_ref()).expect("a number");
                let begin = usize::try_from(at - 1).expect("small") * size;
                let on_page = all.saturating_sub(begin).min(size);
                let mut links = vec![link("self", &format!("https://x/groups?pageNum={at}"))];
                if begin + on_page < all {
                    links.push(link("next", &format!("https://x/groups?pageNum={}", at + 1)));
                }
                let body = json!({ "results": vec!["x"; on_page], "totalCount": all, "links": links });
                let page = page(body, asked).expect("a page");
                seen += page.entities.len();
                cursor = page.next;
                if cursor.is_none() { break; }
            }
            prop_assert_eq!(seen, all);
        }
    }
}
