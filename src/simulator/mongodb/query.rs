//! The query string of a request, and the parameters that every route takes.

use std::borrow::Cow;

use super::refused::Refused;

/// Decoded parameters, in the order in which they came.
#[derive(Debug)]
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    pub(super) fn parse(raw: &'a str) -> Self {
        Self(url::form_urlencoded::parse(raw.as_bytes()).collect())
    }

    /// The first value of a parameter.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(key, _)| key == name);
        named.map(|(_, value)| &**value)
    }

    /// Every value of a parameter.
    pub(super) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    /// A parameter of `true` or `false`, or what it is when absent.
    pub(super) fn flag(&self, name: &str, absent: bool) -> Result<bool, Refused> {
        match self.first(name) {
            None => Ok(absent),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Refused::query(name)),
        }
    }

    /// A parameter that is a positive number.
    pub(super) fn positive(&self, name: &str, absent: usize) -> Result<usize, Refused> {
        let Some(text) = self.first(name) else {
            return Ok(absent);
        };
        // A sign is no digit, though Rust reads `+1`.
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|number| digits && *number > 0)
            .ok_or_else(|| Refused::query(name))
    }

    /// The parameters other than some, encoded again.
    pub(super) fn without(&self, names: &[&str]) -> String {
        let kept = self.0.iter().filter(|(key, _)| !names.contains(&&**key));
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_what_they_are() {
        let query =
            Query::parse("pageNum=3&itemsPerPage=+5&tag=A%2DB&tag=C&pretty=true&envelope=yes&n=0&m=x");
        assert_eq!(query.positive("pageNum", 1), Ok(3));
        assert_eq!(query.positive("absent", 7), Ok(7));
        for wrong in ["itemsPerPage", "n", "m"] {
            assert_eq!(query.positive(wrong, 1), Err(Refused::query(wrong)));
        }
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["A-B", "C"]);
        assert_eq!(
            (query.flag("pretty", false), query.flag("includeCount", true)),
            (Ok(true), Ok(true))
        );
        assert_eq!(query.flag("envelope", false), Err(Refused::query("envelope")));
    }

    #[test]
    fn what_is_kept_is_encoded_again() {
        let query = Query::parse("tag=A%26B&pageNum=2&tag=C&pretty=true");
        assert_eq!(query.without(&["pageNum"]), "tag=A%26B&tag=C&pretty=true");
        assert_eq!(Query::parse("pageNum=2").without(&["pageNum"]), "");
    }
}
