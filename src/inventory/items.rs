//! The way to the list of rows in a JSON document, and out of it again.

use super::InventoryError;
use super::object::{self, Fault};
use super::scanner::Scanner;

/// A list or object on the way to the list of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Level {
    /// An object, entered by this key.
    Object(String),
    /// A list.
    List,
}

/// Reads up to the first row. `items` is the name of a member, or a JSON pointer (RFC 6901); without it the document
/// itself is the list. Returns what encloses the list, outermost first.
pub(super) fn descend(scanner: &mut Scanner, items: Option<&str>) -> Result<Vec<Level>, InventoryError> {
    let items = items.unwrap_or_default();
    let mut outer = Vec::new();
    for token in tokens(items) {
        outer.push(enter(scanner, &token, items)?);
    }
    match scanner.peek()? {
        Some(b'[') => {
            scanner.bump(b'[');
            Ok(outer)
        }
        Some(b'{') if items.is_empty() => Err(wrapped(scanner)?),
        Some(first) => Err(not_a_list(scanner, first, items)?),
        None => Err(scanner.malformed("it ends before a list of rows begins")),
    }
}

/// Reads the rest of the document after the list, so that nothing in it is overlooked.
pub(super) fn ascend(scanner: &mut Scanner, outer: &[Level]) -> Result<(), InventoryError> {
    for level in outer.iter().rev() {
        let end = if matches!(level, Level::List) { b']' } else { b'}' };
        while more(scanner, end)? {
            if let Level::Object(key) = level
                && key_of(scanner)? == *key
            {
                let reason =
                    format!("the key `{key}` stands twice in one object; which list is meant can't be told");
                return Err(scanner.malformed(reason));
            }
            checked_value(scanner)?;
        }
    }
    match scanner.peek()? {
        None => Ok(()),
        Some(_) => Err(scanner.malformed("something follows the end of the document")),
    }
}

/// The parts of `items`: one key, or those of a pointer.
fn tokens(items: &str) -> Vec<String> {
    match items.strip_prefix('/') {
        Some(pointer) => pointer
            .split('/')
            .map(|token| token.replace("~1", "/").replace("~0", "~"))
            .collect(),
        None if items.is_empty() => Vec::new(),
        None => vec![items.to_owned()],
    }
}

/// Reads up to a member's value, or a list's element.
fn enter(scanner: &mut Scanner, token: &str, items: &str) -> Result<Level, InventoryError> {
    let first = scanner.peek()?;
    let line = scanner.position().line;
    let level = match first {
        Some(b'{') if enter_object(scanner, token)? => Some(Level::Object(token.to_owned())),
        Some(b'[') if enter_list(scanner, token)? => Some(Level::List),
        _ => None,
    };
    level.ok_or_else(|| InventoryError::NoList {
        file: scanner.file.clone(),
        line,
        reason: format!("there is no `{token}` here, and `items = \"{items}\"` leads through it"),
    })
}

/// Reads up to the value of a key. Returns whether there is one.
fn enter_object(scanner: &mut Scanner, key: &str) -> Result<bool, InventoryError> {
    scanner.bump(b'{');
    let mut some = not_closed(scanner, b'}')?;
    while some {
        if key_of(scanner)? == key {
            return Ok(true);
        }
        checked_value(scanner)?;
        some = more(scanner, b'}')?;
    }
    Ok(false)
}

/// Reads up to the element of an index. Returns whether there is one.
fn enter_list(scanner: &mut Scanner, index: &str) -> Result<bool, InventoryError> {
    scanner.bump(b'[');
    let Ok(index) = index.parse::<u64>() else {
        return Ok(false);
    };
    let mut some = not_closed(scanner, b']')?;
    for _ in 0..index {
        if !some {
            break;
        }
        checked_value(scanner)?;
        some = more(scanner, b']')?;
    }
    Ok(some)
}

/// Whether a list or object that was just entered has anything in it. Reads past its end when not.
fn not_closed(scanner: &mut Scanner, end: u8) -> Result<bool, InventoryError> {
    let closed = scanner.peek()? == Some(end);
    if closed {
        scanner.bump(end);
    }
    Ok(!closed)
}

/// Whether something follows a member or element. Reads past the comma, or past the end.
fn more(scanner: &mut Scanner, end: u8) -> Result<bool, InventoryError> {
    let found = scanner.peek()?;
    match found {
        Some(byte) if byte == b',' || byte == end => scanner.bump(byte),
        Some(_) => return Err(scanner.malformed(format!("a comma or `{}` should be here", char::from(end)))),
        None => return Err(scanner.malformed(format!("it ends before `{}`", char::from(end)))),
    }
    Ok(found == Some(b','))
}

/// Reads a member's key and colon.
fn key_of(scanner: &mut Scanner) -> Result<String, InventoryError> {
    let mut raw = Vec::new();
    if scanner.peek()? != Some(b'"') {
        return Err(scanner.malformed("a key in double quotes should be here"));
    }
    scanner.value(&mut raw)?;
    let key = serde_json::from_slice(&raw)
        .map_err(|_| scanner.malformed("the key before this is no legal string"))?;
    if scanner.peek()? != Some(b':') {
        return Err(scanner.malformed("a colon should be here"));
    }
    scanner.bump(b':');
    Ok(key)
}

/// Reads past a value beside the way, which has to be legal JSON all the same.
fn checked_value(scanner: &mut Scanner) -> Result<(), InventoryError> {
    let mut raw = Vec::new();
    let position = scanner.value(&mut raw)?;
    match object::check(&raw) {
        Err(Fault::Malformed { at, reason }) => Err(scanner.malformed_in(position, &raw[..at], reason)),
        Ok(()) | Err(Fault::Unusable(_)) => Ok(()),
    }
}

fn not_a_list(scanner: &mut Scanner, first: u8, items: &str) -> Result<InventoryError, InventoryError> {
    let line = scanner.position().line;
    checked_value(scanner)?;
    let what = match first {
        b'{' => "an object",
        b'"' => "a string",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        _ => "a number",
    };
    let place = if items.is_empty() {
        "the document".to_owned()
    } else {
        format!("`items = \"{items}\"`")
    };
    Ok(InventoryError::NoList {
        file: scanner.file.clone(),
        line,
        reason: format!("{place} is {what}, not a list of objects"),
    })
}

/// What to say of a document that is an object, without `items`: which of its members could be meant.
fn wrapped(scanner: &mut Scanner) -> Result<InventoryError, InventoryError> {
    let line = scanner.position().line;
    scanner.bump(b'{');
    let mut lists = Vec::new();
    let mut some = not_closed(scanner, b'}')?;
    while some {
        let key = key_of(scanner)?;
        if is_list_of_objects(scanner)? {
            lists.push(key);
        }
        some = more(scanner, b'}')?;
    }
    let advice = match (scanner.peek()?, lists.as_slice()) {
        (Some(b'{'), _) => "other objects follow it: say `format = \"jsonl\"`".to_owned(),
        (_, [only]) => format!("its list of objects is `{only}`: say `items = \"{only}\"`"),
        (_, []) => "name the list inside it with `items`".to_owned(),
        (_, several) => format!("name one of its lists with `items`: {}", several.join(", ")),
    };
    Ok(InventoryError::NoList {
        file: scanner.file.clone(),
        line,
        reason: format!("the document is an object, not a list of objects; {advice}"),
    })
}

/// Reads past a value of any length, and tells whether it is a list that begins with an object.
fn is_list_of_objects(scanner: &mut Scanner) -> Result<bool, InventoryError> {
    if scanner.peek()? != Some(b'[') {
        scanner.skip_value()?;
        return Ok(false);
    }
    scanner.bump(b'[');
    let is_object = scanner.peek()? == Some(b'{');
    scanner.skip_rest()?;
    Ok(is_object)
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::testing::read;

    fn items(text: &str, items: &str) -> Vec<String> {
        let items = (!items.is_empty()).then(|| items.to_owned());
        read(
            "a.json",
            text.as_bytes(),
            Options {
                items,
                ..Options::default()
            },
        )
    }

    #[test]
    fn a_list_inside_a_document_is_reached() {
        let nested = "{\"n\": 1, \"a/b\": {\"x\": [[], {\"~\": [\n{\"r\": 1},\n{\"r\": 2}]}]}, \"t\": null}";
        for (text, path, rows) in [
            (
                "{\"rows\": [{\"a\": 1}], \"next\": null}",
                "rows",
                &["1 {\"a\":1}"][..],
            ),
            ("{\"a.b\": [{\"a\": 1}]}", "a.b", &["1 {\"a\":1}"]),
            ("{\"rows\": []}", "/rows", &[]),
            (nested, "/a~1b/x/1/~0", &["2 {\"r\":1}", "3 {\"r\":2}"]),
            ("{\"\": [{}]}", "/", &["1 {}"]),
        ] {
            assert_eq!(items(text, path), rows, "{path}");
        }
    }

    #[test]
    fn a_way_that_leads_nowhere_is_told() {
        let absent = |token: &str, path: &str| {
            format!("a.json:1: there is no `{token}` here, and `items = \"{path}\"` leads through it")
        };
        for (text, path, told) in [
            ("{}", "rows", absent("rows", "rows")),
            ("{\"a\": {\"b\": []}}", "/a/c", absent("c", "/a/c")),
            ("{\"a\": [[]]}", "/a/1", absent("1", "/a/1")),
            ("{\"a\": [[]]}", "/a/x", absent("x", "/a/x")),
            ("{\"a\": 1}", "/a/b", absent("b", "/a/b")),
            (
                "{\"a\": {}}",
                "a",
                "a.json:1: `items = \"a\"` is an object, not a list of objects".into(),
            ),
            (
                "3",
                "",
                "a.json:1: the document is a number, not a list of objects".into(),
            ),
        ] {
            assert_eq!(items(text, path), [told], "{text} {path}");
        }
    }

    #[test]
    fn a_wrapped_list_is_hinted_at() {
        let start = "a.json:1: the document is an object, not a list of objects; ";
        for (text, hint) in [
            (
                "{\"n\": [1], \"rows\": [{\"a\": 1}]}",
                "its list of objects is `rows`: say `items = \"rows\"`",
            ),
            (
                "{\"n\": [{}], \"rows\": [{}, 1]}",
                "name one of its lists with `items`: n, rows",
            ),
            ("{\"a\": 1}", "name the list inside it with `items`"),
            (
                "{\"a\": 1}\n{\"a\": 2}",
                "other objects follow it: say `format = \"jsonl\"`",
            ),
        ] {
            assert_eq!(items(text, ""), [format!("{start}{hint}")]);
        }
    }

    #[test]
    fn what_stands_around_the_list_is_checked_too() {
        for (text, told) in [
            (
                "{\"x\": tru, \"rows\": []}",
                "a.json:1:10: the JSON is malformed: the value is cut short",
            ),
            (
                "{\"rows\": [], \"rows\": [{}]}",
                "a.json:1:21: the JSON is malformed: the key `rows` stands twice in one object; which list is meant can't be told",
            ),
            (
                "{\"rows\": [], \"x\": [1,]}",
                "a.json:1:22: the JSON is malformed: expected value",
            ),
            (
                "{\"rows\": []",
                "a.json:1:12: the JSON is malformed: it ends before `}`",
            ),
            (
                "{\"rows\": []} x",
                "a.json:1:14: the JSON is malformed: something follows the end of the document",
            ),
            (
                "{\"rows\": [] \"x\": 1}",
                "a.json:1:13: the JSON is malformed: a comma or `}` should be here",
            ),
            (
                "{rows: []}",
                "a.json:1:2: the JSON is malformed: a key in double quotes should be here",
            ),
            (
                "{\"rows\" []}",
                "a.json:1:9: the JSON is malformed: a colon should be here",
            ),
        ] {
            assert_eq!(items(text, "rows"), [told], "{text}");
        }
    }
}
