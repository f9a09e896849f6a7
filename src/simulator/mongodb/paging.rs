//! Pages of a listing, numbered from 1, and the links between them.

use super::answer::Link;
use super::query::Query;
use super::refused::Refused;
use super::switches::PageLimit;

/// Entities of a page unless told.
const DEFAULT_SIZE: usize = 100;

/// The parameters that say which page.
const NAMES: [&str; 2] = ["pageNum", "itemsPerPage"];

/// The page that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    number: usize,
    size: usize,
    counted: bool,
}

impl Page {
    /// Reads which page; one of more than `max` entities is cut or refused.
    pub(super) fn of(query: &Query<'_>, max: usize, limit: PageLimit) -> Result<Self, Refused> {
        let size = query.positive("itemsPerPage", DEFAULT_SIZE.min(max))?;
        if size > max && limit == PageLimit::Refuse {
            return Err(Refused::query("itemsPerPage"));
        }
        Ok(Self {
            number: query.positive("pageNum", 1)?,
            size: size.min(max),
            counted: query.flag("includeCount", true)?,
        })
    }

    /// The page's part of everything.
    pub(super) fn part<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let begin = (self.number - 1).saturating_mul(self.size).min(all.len());
        let end = begin.saturating_add(self.size).min(all.len());
        &all[begin..end]
    }

    /// The total to tell.
    pub(super) fn total(&self, total: usize) -> Option<usize> {
        self.counted.then_some(total)
    }

    /// The query of this page as Atlas writes it.
    pub(super) fn canonical(&self) -> String {
        let Self {
            number,
            size,
            counted,
        } = self;
        format!("includeCount={counted}&pageNum={number}&itemsPerPage={size}")
    }

    /// `self` as given, `previous` unless this is the first page, and `next` unless it is the last.
    pub(super) fn links(&self, this: String, url: &str, query: &Query<'_>, total: usize) -> Vec<Link> {
        let others = query.without(&NAMES);
        let other = |number: usize| {
            let joint = if others.is_empty() { "" } else { "&" };
            format!("{url}?{others}{joint}pageNum={number}&itemsPerPage={}", self.size)
        };
        let mut links = vec![Link::new("self", this)];
        if self.number > 1 {
            links.push(Link::new("previous", other(self.number - 1)));
        }
        if self.number.saturating_mul(self.size) < total {
            links.push(Link::new("next", other(self.number + 1)));
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(query: &str) -> Page {
        Page::of(&Query::parse(query), 500, PageLimit::Clamp).unwrap()
    }

    fn rels(query: &str, total: usize) -> Vec<(String, String)> {
        let links = page(query).links("this".to_owned(), "u", &Query::parse(query), total);
        links.into_iter().map(|link| (link.rel, link.href)).collect()
    }

    #[test]
    fn links_lead_to_the_pages_beside() {
        for (query, total, want) in [
            ("", 0, &[("self", "this")][..]),
            ("", 100, &[("self", "this")]),
            (
                "",
                101,
                &[("self", "this"), ("next", "u?pageNum=2&itemsPerPage=100")],
            ),
            (
                "itemsPerPage=5&tag=A%26B&pageNum=2&tag=C",
                11,
                &[
                    ("self", "this"),
                    ("previous", "u?tag=A%26B&tag=C&pageNum=1&itemsPerPage=5"),
                    ("next", "u?tag=A%26B&tag=C&pageNum=3&itemsPerPage=5"),
                ],
            ),
            (
                "pageNum=9",
                3,
                &[("self", "this"), ("previous", "u?pageNum=8&itemsPerPage=100")],
            ),
        ] {
            let want: Vec<_> = want
                .iter()
                .map(|(rel, href)| ((*rel).to_owned(), (*href).to_owned()))
                .collect();
            assert_eq!(rels(query, total), want, "{query} of {total}");
        }
    }

    #[test]
    fn a_page_that_is_too_large_is_cut_or_refused() {
        let of = |query: &str, limit| Page::of(&Query::parse(query), 500, limit).map(|page| page.size);
        assert_eq!(of("itemsPerPage=501", PageLimit::Clamp), Ok(500));
        assert_eq!(
            of("itemsPerPage=501", PageLimit::Refuse),
            Err(Refused::query("itemsPerPage"))
        );
        assert_eq!(of("itemsPerPage=500", PageLimit::Refuse), Ok(500));
        for wrong in [
            "pageNum=0",
            "pageNum=-1",
            "pageNum=x",
            "itemsPerPage=0",
            "includeCount=no",
        ] {
            assert!(of(wrong, PageLimit::Clamp).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_count_is_told_unless_it_is_not_wanted() {
        assert_eq!(page("").total(7), Some(7));
        assert_eq!(page("includeCount=false").total(7), None);
        assert_eq!(
            page("pageNum=2").canonical(),
            "includeCount=true&pageNum=2&itemsPerPage=100"
        );
    }

    proptest! {
        #[test]
        fn all_pages_together_are_everything(total in 0..60_usize, size in 1..20_usize) {
            let all: Vec<usize> = (0..total).collect();
            let mut seen = Vec::new();
            for number in 1.. {
                let query = format!("pageNum={number}&itemsPerPage={size}");
                let page = page(&query);
                seen.extend_from_slice(page.part(&all));
                let links = page.links(String::new(), "u", &Query::parse(&query), total);
                if links.iter().all(|link| link.rel != "next") {
                    break;
                }
            }
            prop_assert_eq!(seen, all);
        }

        #[test]
        fn a_page_beyond_the_last_is_empty(number in 2..usize::MAX) {
            let page = page(&format!("pageNum={number}"));
            prop_assert!(page.part(&[1, 2, 3]).is_empty());
        }
    }
}
