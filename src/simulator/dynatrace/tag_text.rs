//! Tags as text: `value`, `key:value` and `[CONTEXT]key:value`.

use super::switches::Representation;

/// The context of manual tags and of those that rules make.
pub(super) const CONTEXTLESS: &str = "CONTEXTLESS";

/// A tag as a selector or a v1 filter names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TagPattern {
    /// In capitals; `CONTEXTLESS` without brackets.
    pub(super) context: String,
    pub(super) key: String,
    pub(super) value: Option<String>,
}

impl TagPattern {
    /// Reads one; a backslash before a colon keeps it from separating key and value.
    pub(super) fn parse(text: &str) -> Self {
        let (context, rest) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((context, rest)) => (context.to_ascii_uppercase(), rest),
            None => (CONTEXTLESS.to_owned(), text),
        };
        let (key, value) = split(rest);
        Self { context, key, value }
    }
}

/// Splits at the first colon that no backslash escapes, and takes the backslashes of the others away.
fn split(text: &str) -> (String, Option<String>) {
    let (mut key, mut value) = (String::new(), None::<String>);
    let mut chars = text.chars().peekable();
    while let Some(mut c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&':') {
            c = ':';
            chars.next();
        } else if c == ':' && value.is_none() {
            value = Some(String::new());
            continue;
        }
        value.as_mut().unwrap_or(&mut key).push(c);
    }
    (key, value.filter(|value| !value.is_empty()))
}

/// The `stringRepresentation` of a tag.
pub(super) fn representation(context: &str, key: &str, value: Option<&str>, style: Representation) -> String {
    let mut text = String::with_capacity(key.len() + value.map_or(0, str::len) + 1);
    if context != CONTEXTLESS {
        text.extend(["[", context, "]"]);
    }
    let mut push = |part: &str| match style {
        Representation::Plain => text.push_str(part),
        Representation::Escaped => text.push_str(&part.replace(':', "\\:")),
    };
    push(key);
    if let Some(value) = value {
        text.push(':');
        match style {
            Representation::Plain => text.push_str(value),
            Representation::Escaped => text.push_str(&value.replace(':', "\\:")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bare_colon_separates() {
        for (text, context, key, value) in [
            ("mainApp", CONTEXTLESS, "mainApp", None),
            ("easytravel:backend", CONTEXTLESS, "easytravel", Some("backend")),
            (r"url:http\://x", CONTEXTLESS, "url", Some("http://x")),
            (r"a\:b", CONTEXTLESS, "a:b", None),
            (r"a\:b:c:d", CONTEXTLESS, "a:b", Some("c:d")),
            ("[Environment]stage:dev", "ENVIRONMENT", "stage", Some("dev")),
            ("[AWS]Name", "AWS", "Name", None),
            ("[open", CONTEXTLESS, "[open", None),
            (r"back\slash", CONTEXTLESS, r"back\slash", None),
            ("empty:", CONTEXTLESS, "empty", None),
        ] {
            let pattern = TagPattern::parse(text);
            assert_eq!(
                (&*pattern.context, &*pattern.key, pattern.value.as_deref()),
                (context, key, value),
                "{text}"
            );
        }
    }

    #[test]
    fn a_representation_has_its_context_and_escapes_only_when_told() {
        let show = |context, key, value, style| representation(context, key, value, style);
        for (context, key, value, plain, escaped) in [
            (CONTEXTLESS, "mainApp", None, "mainApp", "mainApp"),
            (CONTEXTLESS, "url", Some("a:b"), "url:a:b", r"url:a\:b"),
            (
                "ENVIRONMENT",
                "Infrastructure",
                Some("Linux"),
                "[ENVIRONMENT]Infrastructure:Linux",
                "[ENVIRONMENT]Infrastructure:Linux",
            ),
        ] {
            assert_eq!(show(context, key, value, Representation::Plain), plain);
            assert_eq!(show(context, key, value, Representation::Escaped), escaped);
        }
    }
}
