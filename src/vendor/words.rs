//! A vendor's own words, fit to be shown: short, on one line and without secrets.
//!
//! What a vendor answers is foreign text of any length: it goes through [`clean`] before anybody sees it.

use http::StatusCode;

use crate::wire::Response;

/// The most characters of the vendor's words that are shown.
const SHOWN: usize = 200;

/// The most bytes of a vendor's words that are looked at.
const LOOKED_AT: usize = 4_096;

/// Whether an answer is a web page.
pub(super) fn is_page(response: &Response) -> bool {
    let content_type = response
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let declared = content_type.is_some_and(|text| text.trim().to_ascii_lowercase().starts_with("text/html"));
    declared || response.body.trim_ascii_start().starts_with(b"<")
}

/// Says what stands where JSON is due, when that is nothing or a web page. `url_hint` says what to look at when the
/// wrong server answers.
pub(super) fn unreadable(response: &Response, url_hint: &str) -> Option<String> {
    if is_page(response) {
        let shown = of_body(&response.body);
        return Some(format!("a web page came instead of JSON: {shown}: {url_hint}"));
    }
    response
        .body
        .trim_ascii()
        .is_empty()
        .then(|| "the body is empty where JSON is promised".to_owned())
}

/// The beginning of a body, cleaned.
pub(super) fn of_body(body: &[u8]) -> String {
    clean(&String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]))
}

/// What a status says where the body says nothing.
pub(super) fn reason_phrase(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("no explanation")
}

/// Masks tokens, escapes control characters and cuts: in this order, so that no half token stays.
pub(super) fn clean(text: &str) -> String {
    let text = text.trim();
    let masked = mask(&text[..text.floor_char_boundary(LOOKED_AT)]);
    let mut shown = String::new();
    let mut chars = masked.chars();
    for c in chars.by_ref().take(SHOWN) {
        if is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, and those that reverse or hide text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What tokens follow or begin with, and how many characters must come after it to be one. Those of Dynatrace are
/// `dt0c01.PUBLIC.SECRET` today, and older ones, of no known form, stay valid
/// (<https://docs.dynatrace.com/managed/dynatrace-api/basics/dynatrace-api-authentication>). What follows `Basic` is a
/// user and a password (RFC 7617). Secrets of Atlas service accounts begin with `mdb_sa_sk_`.
const TOKEN_MARKS: [(&str, usize); 6] = [
    ("dt0", 1),
    ("mdb_sa_sk_", 1),
    ("api-token ", 16),
    ("api-token=", 16),
    ("bearer ", 16),
    ("basic ", 16),
];

fn mask(text: &str) -> String {
    // ASCII lower-casing keeps every offset.
    let lower = text.to_ascii_lowercase();
    let mut masked = String::new();
    let mut at = 0;
    while let Some((after, least)) = next_mark(&lower, at) {
        let length = lower[after..]
            .find(|c: char| !is_token(c))
            .unwrap_or(lower.len() - after);
        masked.push_str(&text[at..after]);
        at = after;
        if length >= least {
            masked.push_str("***");
            at += length;
        }
    }
    masked.push_str(&text[at..]);
    masked
}

/// Where the next mark ends, and how long what follows must be.
fn next_mark(lower: &str, at: usize) -> Option<(usize, usize)> {
    let found = TOKEN_MARKS.iter().filter_map(|(mark, least)| {
        let start = lower[at..].find(mark)?;
        Some((at + start + mark.len(), *least))
    });
    found.min()
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '+' | '/' | '=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_are_never_shown() {
        let secret = "ABCDEFGHIJKLMNOPQRSTUVWX.0123456789";
        for (text, want) in [
            (
                format!("token dt0c01.{secret} is disabled"),
                "token dt0*** is disabled".to_owned(),
            ),
            (format!("DT0S16.{secret}"), "DT0***".to_owned()),
            (
                format!("Api-Token {secret}, and api-token={secret}&x=1"),
                "Api-Token ***, and api-token=***&x=1".to_owned(),
            ),
            (format!("\"Bearer {secret}\""), "\"Bearer ***\"".to_owned()),
            (
                "Authorization: Basic dXNlcjpwYXNzd29yZA==".to_owned(),
                "Authorization: Basic ***".to_owned(),
            ),
            (
                "Basic authentication failed".to_owned(),
                "Basic authentication failed".to_owned(),
            ),
            (
                "the Api-Token is missing".to_owned(),
                "the Api-Token is missing".to_owned(),
            ),
            ("Grüße dt0".to_owned(), "Grüße dt0".to_owned()),
        ] {
            assert_eq!(clean(&text), want);
        }
    }

    #[test]
    fn long_and_unprintable_words_are_cut_and_escaped() {
        assert_eq!(clean(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(clean(&"ü".repeat(201)), format!("{}…", "ü".repeat(200)));
        assert_eq!(
            clean("a\u{1b}[31mb\u{202e}c\u{7}"),
            "a\\u{1b}[31mb\\u{202e}c\\u{7}"
        );
    }

    #[test]
    fn a_token_on_the_cut_is_masked_whole() {
        let text = format!("{} dt0c01.ABCDEF.{}", "x".repeat(190), "S".repeat(64));
        assert_eq!(clean(&text), format!("{} dt0***", "x".repeat(190)));
    }

    proptest! {
        #[test]
        fn no_token_gets_through_whatever_stands_around_it(before in ".{0,80}", after in "[^A-Za-z0-9./+=~_-].{0,80}") {
            let shown = clean(&format!("{before}dt0c01.PUBLIC.SECRET{after}"));
            prop_assert!(!shown.contains("SECRET") && !shown.contains("PUBLIC"), "{}", shown);
        }

        #[test]
        fn what_is_shown_is_one_short_line(text in "(?s).{0,400}") {
            let shown = clean(&text);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!(shown.chars().count() <= SHOWN * 10 + 1);
        }
    }
}
