//! The query string of a request.

use std::borrow::Cow;

use super::envelope::Refused;

/// Decoded parameters, in the order in which they came.
#[derive(Debug)]
pub(super) struct Query<'a> {
    raw: &'a str,
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    pub(super) fn parse(raw: &'a str) -> Self {
        Self {
            raw,
            pairs: url::form_urlencoded::parse(raw.as_bytes()).collect(),
        }
    }

    /// The first value of a parameter.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    /// Every value of a parameter.
    pub(super) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.pairs
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    /// A parameter of `true` or `false`; `false` when it is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.first(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Refused::query(
                name,
                format!("'{other}' is neither 'true' nor 'false'"),
            )),
        }
    }

    /// A parameter that is a positive number.
    pub(super) fn positive(&self, name: &str) -> Result<Option<usize>, Refused> {
        let Some(text) = self.first(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(Refused::query(name, "must be greater than or equal to 1")),
        }
    }

    /// The characters of a parameter's first value as it stands in the URL.
    pub(super) fn encoded_length(&self, name: &str) -> usize {
        let value = |pair: &'a str| pair.split_once('=').filter(|(key, _)| *key == name);
        self.raw
            .split('&')
            .find_map(value)
            .map_or(0, |(_, value)| value.len())
    }

    /// The parameters other than one, as a number that tells whether they have changed.
    pub(super) fn digest_without(&self, name: &str) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.others(name).for_each(|pair| pair.hash(&mut hasher));
        hasher.finish()
    }

    /// Refuses any parameter beside one that must come alone. A token in the query does not count.
    pub(super) fn alone(&self, name: &str) -> Result<(), Refused> {
        match self.others(name).find(|(other, _)| other != "api-token") {
            None => Ok(()),
            Some((other, _)) => {
                let message =
                    format!("all other query parameters must be omitted when {name} is set, found '{other}'");
                Err(Refused::query(name, message))
            }
        }
    }

    /// The names of the parameters other than one.
    pub(super) fn others<'b>(
        &'b self,
        name: &'b str,
    ) -> impl Iterator<Item = &'b (Cow<'a, str>, Cow<'a, str>)> {
        self.pairs.iter().filter(move |(key, _)| key != name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_once() {
        let query = Query::parse("entitySelector=tag(%22a%5C%3Ab%22)&tag=x&tag=y+z&n=0");
        assert_eq!(query.first("entitySelector"), Some(r#"tag("a\:b")"#));
        assert_eq!(query.encoded_length("entitySelector"), 19);
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["x", "y z"]);
        assert_eq!(query.first("key"), None);
        assert!(query.positive("n").is_err());
    }

    #[test]
    fn the_digest_ignores_the_cursor_alone() {
        let digest = |raw| Query::parse(raw).digest_without("nextPageKey");
        assert_eq!(digest("pageSize=5&nextPageKey=a"), digest("pageSize=5"));
        assert_ne!(digest("pageSize=5&nextPageKey=a"), digest("pageSize=6"));
    }
}
