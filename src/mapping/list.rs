//! `[[tags_from]]` with `column`: one field that holds many tags.
//!
//! A text is split into items; a JSON list has its items already; a JSON map is a list of pairs.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::emit::Emit;
use super::options::Trouble;
use super::pattern::Pattern;
use super::row::{Blanks, Cell, Row};
use super::wishes::Wishes;

/// How one field is read.
#[derive(Debug, Clone)]
pub(super) struct ListRule {
    pub(super) column: String,
    pub(super) separator: Option<String>,
    pub(super) pair: Option<String>,
    pub(super) pattern: Option<Pattern>,
    pub(super) key: Option<String>,
    pub(super) key_field: String,
    pub(super) value_field: String,
    pub(super) malformed: Trouble,
    pub(super) missing: Trouble,
}

/// A tag as the field has it; `None` means a tag without a value.
pub(super) type Found<'r> = (Cow<'r, str>, Option<Cow<'r, str>>);

impl ListRule {
    pub(super) fn apply(&self, row: &Row<'_>, emit: &mut Emit, wishes: &mut Wishes) -> Result<(), String> {
        let cell = match row.find(&self.column) {
            Some(cell) => cell,
            None if self.missing == Trouble::Skip => return Ok(()),
            None => return Err(row.lacks(&self.column)),
        };
        for found in self.read(cell, row.blanks()) {
            match found {
                Ok(found) => emit.ask(found, row, wishes)?,
                Err(_) if self.malformed == Trouble::Skip => {}
                Err(why) => return Err(format!("field `{}`: {why}", self.column)),
            }
        }
        Ok(())
    }

    /// Every tag of a field; `Err` for an item that can't be read.
    fn read<'r>(&'r self, cell: Cell<'r>, blanks: Blanks) -> Vec<Result<Found<'r>, String>> {
        match cell {
            Cell::Json(Json::Array(items)) => items
                .iter()
                .filter_map(|item| self.element(item, blanks))
                .collect(),
            Cell::Json(Json::Object(map)) => map.iter().map(|(key, value)| pair_of(key, value)).collect(),
            cell => match cell.text() {
                Ok(Cow::Borrowed(text)) => self.split(text).map(|item| self.item(item)).collect(),
                // Texts that are not borrowed do not occur: numbers and words of JSON are one item each.
                Ok(Cow::Owned(_)) | Err(_) => Vec::new(),
            },
        }
    }

    /// The items of a text, trimmed. Empty ones, such as one after a last separator, are none.
    fn split<'r>(&'r self, text: &'r str) -> impl Iterator<Item = &'r str> + 'r {
        // A text has no item after its end, so `None` as separator gives the whole text.
        let whole = self.separator.is_none().then_some(text);
        let parts = self.separator.as_deref().map(|separator| text.split(separator));
        let items = whole.into_iter().chain(parts.into_iter().flatten());
        items.map(str::trim).filter(|item| !item.is_empty())
    }

    fn item<'r>(&'r self, item: &'r str) -> Result<Found<'r>, String> {
        if let Some(pattern) = &self.pattern {
            return pattern.read(item.into(), Blanks::Trimmed);
        }
        if let Some(pair) = &self.pair {
            return match item.split_once(pair.as_str()) {
                Some((key, value)) if !key.trim().is_empty() => {
                    Ok((key.trim().into(), Some(value.trim().into())))
                }
                Some(_) => Err(format!("item `{item}` has no key before `{pair}`")),
                None => Err(format!("item `{item}` has no `{pair}` between key and value")),
            };
        }
        Ok(match &self.key {
            Some(key) => (key.as_str().into(), Some(item.into())),
            None => (item.into(), None),
        })
    }

    /// One item of a JSON list; null is none.
    fn element<'r>(&'r self, item: &'r Json, blanks: Blanks) -> Option<Result<Found<'r>, String>> {
        match item {
            Json::Null => None,
            Json::Object(object) => Some(self.object(object, blanks)),
            Json::String(text) if text.trim().is_empty() => None,
            Json::String(text) => Some(self.item(text.trim())),
            Json::Number(number) => Some(self.item(number.as_str())),
            Json::Bool(_) | Json::Array(_) => Some(Err(format!("item `{item}` is neither a text nor a map"))),
        }
    }

    /// `{ key, value }`. Where the value is null or absent, the tag has none, as live tags do, or what `pattern` finds in its
    /// key.
    fn object<'r>(
        &'r self,
        object: &'r serde_json::Map<String, Json>,
        blanks: Blanks,
    ) -> Result<Found<'r>, String> {
        let read = |field: &str| object.get(field).map(|value| Cell::Json(value).text());
        let key = match read(&self.key_field) {
            Some(Ok(key)) if !key.trim().is_empty() => blanks.of(key),
            Some(Ok(_)) => return Err(format!("an item's `{}` is empty", self.key_field)),
            Some(Err(what)) => return Err(format!("an item's `{}` is {what}", self.key_field)),
            None => return Err(self.no_key(object)),
        };
        match object.get(&self.value_field) {
            None | Some(Json::Null) => match &self.pattern {
                Some(pattern) => pattern.read(key, blanks),
                None => Ok((key, None)),
            },
            Some(value) => value_of(key, value, blanks),
        }
    }

    fn no_key(&self, object: &serde_json::Map<String, Json>) -> String {
        let names: Vec<_> = object.keys().map(String::as_str).collect();
        format!(
            "an item has no `{}`; it has: {}; name the right ones with `key_field` and `value_field`",
            self.key_field,
            names.join(", ")
        )
    }
}

/// An entry of a JSON map.
fn pair_of<'r>(key: &'r str, value: &'r Json) -> Result<Found<'r>, String> {
    if key.trim().is_empty() {
        return Err("a key of the map is empty".to_owned());
    }
    value_of(key.trim().into(), value, Blanks::Trimmed)
}

fn value_of<'r>(key: Cow<'r, str>, value: &'r Json, blanks: Blanks) -> Result<Found<'r>, String> {
    match Cell::Json(value).text() {
        Ok(text) => Ok((key, Some(blanks.of(text)))),
        Err(what) => Err(format!("the value of `{key}` is {what} and no text")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::mapping::mapper::tests::{asked, object, table};

    #[test]
    fn a_cell_of_pairs_is_split_at_the_first_separator_of_each() {
        let rule = "tags_from = [{ column = 'Tags', separator = ';', pair = '=' }]";
        let cell = "CreatedByPolicy=MCAPS Governance Team;Action=Do Not Delete; Contact = https://a/b?c=d;";
        assert_eq!(
            asked(rule, &table(&["id", "Tags"], &["1", cell])).unwrap(),
            [
                "set Action:Do Not Delete",
                "set Contact:https://a/b?c=d",
                "set CreatedByPolicy:MCAPS Governance Team",
            ]
        );
        assert_eq!(asked(rule, &table(&["id", "Tags"], &["1", ""])).unwrap(), [""; 0]);
    }

    #[test]
    fn a_list_cell_gives_values_of_one_key_or_bare_tags() {
        let record = table(&["id", "site_tags"], &["1", "alpha,bravo, golf ,,bravo"]);
        for (more, want) in [
            (
                "key = 'site-tag', action = 'add'",
                ["add site-tag:alpha", "add site-tag:bravo", "add site-tag:golf"],
            ),
            (
                "prefix = 'site-', action = 'remove'",
                ["remove site-alpha", "remove site-bravo", "remove site-golf"],
            ),
            ("rename = { golf = 'g' }", ["set alpha", "set bravo", "set g"]),
        ] {
            let rule = format!("tags_from = [{{ column = 'site_tags', separator = ',', {more} }}]");
            assert_eq!(asked(&rule, &record).unwrap(), want, "{more}");
        }
    }

    #[test]
    fn json_lists_and_maps_are_read() {
        let record = object(
            r#"{
                "id": 7,
                "aws": [{"Key": "Owner", "Value": "c7n"}, {"Key": "Cost", "Value": 1.50}, {"Key": "Blank", "Value": ""}],
                "live": [{"key": "a", "value": "b", "context": "CONTEXTLESS"}, {"key": "bare"}, {"key": "null", "value": null}],
                "labels": {"env": "prod", "on": true, "gone": null},
                "words": ["x", " y ", "", null, 3],
                "fields": {"tags": ["k=v"]},
                "text": "a=b;c=d"
            }"#,
        );
        for (rule, want) in [
            (
                "column = 'aws', key_field = 'Key', value_field = 'Value'",
                vec!["set Cost:1.50", "set Owner:c7n", "1 empty"],
            ),
            ("column = 'live'", vec!["set a:b", "set bare", "set null"]),
            (
                "column = 'labels'",
                vec!["set env:prod", "set on:true", "1 empty"],
            ),
            (
                "column = 'labels', empty = 'remove'",
                vec!["set env:prod", "set on:true", "remove gone"],
            ),
            ("column = 'words'", vec!["set 3", "set x", "set y"]),
            ("column = '/fields/tags', pair = '='", vec!["set k:v"]),
            (
                "column = 'text', pair = '=', separator = ';'",
                vec!["set a:b", "set c:d"],
            ),
            ("column = 'text'", vec!["set a=b;c=d"]),
            ("column = 'id', key = 'n'", vec!["set n:7"]),
            ("column = 'nothing', missing = 'skip'", vec![]),
        ] {
            assert_eq!(
                asked(&format!("tags_from = [{{ {rule} }}]"), &record).unwrap(),
                want,
                "{rule}"
            );
        }
    }

    #[test]
    fn a_live_tag_keeps_its_blanks_and_any_other_loses_them() {
        let tags = r#"[{"key": " a", "value": "  b ", "context": "manual"}, {"key": "c", "value": " ", "context": "manual"}]"#;
        let live = object(&format!(
            r#"{{"id": "1", "name": null, "kind": "HOST", "tags": {tags}}}"#
        ));
        let other = object(&format!(r#"{{"id": "1", "tags": {tags}}}"#));
        let rule = "tags_from = [{ column = 'tags' }]";
        assert_eq!(asked(rule, &live).unwrap(), ["set  a:  b ", "set c: "]);
        assert_eq!(asked(rule, &other).unwrap(), ["set a:b", "1 empty"]);

        let names = ["id", "name", "kind", "key", "value", "context"];
        let cells = ["1", "", "HOST", "a", "  b ", "manual"];
        for (value, want) in [("{{ value }}", "set a:  b "), ("{{ value | trim }}", "set a:b")] {
            let rule = format!("tag = [{{ key = '{{{{ key }}}}', value = '{value}' }}]");
            assert_eq!(asked(&rule, &table(&names, &cells)).unwrap(), [want]);
            assert_eq!(
                asked(&rule, &table(&names[..5], &cells[..5])).unwrap(),
                ["set a:b"]
            );
        }
    }

    #[test]
    fn an_item_that_cannot_be_read_rejects_the_row_or_is_skipped() {
        let record = object(
            r#"{
                "id": "1",
                "text": "a=b;c",
                "anonymous": "=b;a=b",
                "aws": [{"Key": "a", "Value": "b"}],
                "deep": {"a": {"b": 1}, "c": "d"},
                "list": ["a=b", ["c"]]
            }"#,
        );
        for (rule, why, rest) in [
            (
                "column = 'text', separator = ';', pair = '='",
                "field `text`: item `c` has no `=` between key and value",
                vec!["set a:b"],
            ),
            (
                "column = 'anonymous', separator = ';', pair = '='",
                "field `anonymous`: item `=b` has no key before `=`",
                vec!["set a:b"],
            ),
            (
                "column = 'aws'",
                "field `aws`: an item has no `key`; it has: Key, Value; name the right ones with `key_field` and `value_field`",
                vec![],
            ),
            (
                "column = 'deep'",
                "field `deep`: the value of `a` is a map and no text",
                vec!["set c:d"],
            ),
            (
                "column = 'list', pair = '='",
                "field `list`: item `[\"c\"]` is neither a text nor a map",
                vec!["set a:b"],
            ),
        ] {
            let refused = asked(&format!("tags_from = [{{ {rule} }}]"), &record);
            assert_eq!(refused, Err(format!("`tags_from[1].column`: {why}")), "{rule}");
            let skipped = asked(
                &format!("tags_from = [{{ {rule}, malformed = 'skip' }}]"),
                &record,
            );
            assert_eq!(skipped.unwrap(), rest, "{rule}");
        }
    }

    proptest::proptest! {
        #[test]
        fn splitting_a_cell_and_joining_its_tags_gives_the_cell(
            tags in proptest::collection::btree_map("[^=;\\s]([^=;]{0,8}[^=;\\s])?", "[^;\\s]([^;]{0,8}[^;\\s])?", 0..9),
        ) {
            let join = |tags: &BTreeMap<String, String>, between: &str| {
                let pairs: Vec<_> = tags.iter().map(|(key, value)| format!("{key}{between}{value}")).collect();
                pairs
            };
            let cell = join(&tags, "=").join(";");
            let rule = "tags_from = [{ column = 'c', separator = ';', pair = '=', action = 'add' }]";
            let got = asked(rule, &table(&["id", "c"], &["1", &cell])).unwrap();
            let want: Vec<_> = join(&tags, ":").into_iter().map(|tag| format!("add {tag}")).collect();
            proptest::prop_assert_eq!(got, want);
        }
    }
}
