//! The query string of a request.

use std::borrow::Cow;

use super::answer::Refused;
use super::switches::UnknownFields;

/// Decoded parameters, in the order in which they came.
#[derive(Debug)]
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    pub(super) fn parse(raw: &'a str) -> Self {
        Self(url::form_urlencoded::parse(raw.as_bytes()).collect())
    }

    /// Refuses parameters that a page does not name, when the switch says so.
    pub(super) fn check_names(&self, known: &[&str], unknown: UnknownFields) -> Result<(), Refused> {
        if unknown == UnknownFields::Ignore {
            return Ok(());
        }
        let strange = self.0.iter().filter(|(name, _)| !known.contains(&&**name));
        let issue = |(name, _): &(Cow<'_, str>, _)| format!("The query parameter '{name}' is not known.");
        Refused::unless_tolerated(400, strange.map(issue))
    }

    /// The first value of a parameter.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| &**value)
    }

    /// A parameter of `true` or `false`, in any case as Python writes them; `false` when it is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.first(name) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => {
                let issue = format!("The query parameter '{name}' must be true or false, and is '{text}'.");
                Err(Refused::new(400, issue))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_true_or_false_in_any_case() {
        for (raw, want) in [
            ("", Some(false)),
            ("force=true", Some(true)),
            ("force=True", Some(true)),
            ("force=FALSE", Some(false)),
            ("force=true&force=false", Some(true)),
            ("Force=true", Some(false)),
            ("force=1", None),
            ("force=", None),
            ("force", None),
        ] {
            assert_eq!(Query::parse(raw).flag("force").ok(), want, "{raw}");
        }
    }

    #[test]
    fn a_parameter_that_no_page_names_is_passed_over_or_refused() {
        let query = Query::parse("force=true&x=1");
        for (unknown, known, good) in [
            (UnknownFields::Ignore, &[][..], true),
            (UnknownFields::Refuse, &["force"], false),
            (UnknownFields::Refuse, &["force", "x"], true),
        ] {
            assert_eq!(query.check_names(known, unknown).is_ok(), good);
        }
    }
}
