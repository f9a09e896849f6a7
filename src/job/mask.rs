//! Which parts of a job file are never shown, because a secret may stand there by mistake.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of a secret's source, whose values are no secrets.
const SOURCES: &[&str] = &["env", "file", "command"];

/// The strings of a document that may be secrets: those of keys that sound like one, and URLs with credentials.
pub(super) fn secrets(root: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    table(root, false, &mut found);
    found
}

fn table(table: &DeTable<'_>, secret: bool, found: &mut Vec<Range<usize>>) {
    for (key, item) in table {
        let key = key.get_ref();
        let names_source = secret && SOURCES.contains(&key.as_ref());
        let usable = !(names_source && key == "env") || item.get_ref().as_str().is_some_and(is_variable);
        let is_url = ["url", "proxy"].contains(&key.as_ref());
        let bears_credentials = is_url && item.get_ref().as_str().is_some_and(|url| url.contains('@'));
        let hidden = sounds_secret(key) || bears_credentials || (secret && !(names_source && usable));
        value(item, hidden, found);
    }
}

fn value(item: &Spanned<DeValue<'_>>, secret: bool, found: &mut Vec<Range<usize>>) {
    match item.get_ref() {
        DeValue::Table(inner) => table(inner, secret, found),
        DeValue::Array(items) => items.iter().for_each(|item| value(item, secret, found)),
        DeValue::String(text) if secret || has_credentials(text) => found.push(item.span()),
        _ => {}
    }
}

/// Whether a text can be the name of an environment variable.
fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn sounds_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "token",
        "secret",
        "passw",
        "credential",
        "apikey",
        "api_key",
        "api-key",
    ]
    .iter()
    .any(|word| key.contains(word))
}

fn has_credentials(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| {
        rest.split(['/', '?'])
            .next()
            .is_some_and(|host| host.contains('@'))
    })
}

/// A text in which what is secret is replaced by dots of the same width, so that carets still point right.
pub(super) fn masked(text: &str, secrets: &[Range<usize>]) -> String {
    text.char_indices()
        .map(|(place, c)| {
            let hidden = secrets.iter().any(|secret| secret.contains(&place));
            if hidden && c != '\n' { '·' } else { c }
        })
        .collect()
}

/// What may be secret in a text that is no TOML: all that follows a key that sounds secret, up to the end of its line.
/// After one that opens a text of several lines, everything.
pub(super) fn secrets_of_broken(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if let Some(equals) = line
            .char_indices()
            .find(|(place, c)| *c == '=' && sounds_secret(&line[..*place]))
        {
            let value = &line[equals.0 + 1..];
            if ["\"\"\"", "'''"].iter().any(|quotes| value.contains(quotes)) {
                found.push(start + equals.0 + 1..text.len());
                return found;
            }
            found.push(start + equals.0 + 1..end);
        }
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_hidden_and_sources_are_not() {
        for (text, hidden) in [
            ("token = \"canary\"", true),
            ("api_token = 'canary'", true),
            ("[token]\nvalue = 'canary'", true),
            ("token = { env = 'canary-1.2' }", true),
            ("token = { env = 'canary' }", false),
            ("token = { file = 'canary' }", false),
            ("password = ['canary']", true),
            ("url = 'https://me:canary@host/'", true),
            ("url = 'me:canary@host'", true),
            ("value = 'https://me:canary@host/'", true),
            ("value = 'https://host/@canary'", false),
            ("key = 'canary'", false),
        ] {
            let root = DeTable::parse(text).unwrap();
            let shown = masked(text, &secrets(root.get_ref()));
            assert_eq!(!shown.contains("canary"), hidden, "{shown}");
        }
    }

    #[test]
    fn a_broken_text_shows_nothing_after_a_secret_key() {
        for text in [
            "token = \"canary",
            "x = { token = canary }",
            "token = \"\"\"\ncanary\n",
            "DT_TOKEN=canary",
        ] {
            let shown = masked(text, &secrets_of_broken(text));
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}
