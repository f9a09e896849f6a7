//! Just enough of Rust's syntax to know which paths a source uses.

/// A path in a source, with the groups of `use` opened up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsedPath {
    pub(crate) segments: Vec<String>,
    /// Where it begins, from 1.
    pub(crate) line: usize,
    /// Whether it is the name of a macro that is called.
    pub(crate) is_macro: bool,
    /// Whether it stands in a `use`.
    pub(crate) is_import: bool,
    /// The method called on what the path gives when it is called, or nothing: `is_terminal` of
    /// `io::stderr().is_terminal()`.
    pub(crate) then: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Every path of a source outside `#[cfg(test)]`, words alone among them.
pub(crate) fn paths(text: &str) -> Vec<UsedPath> {
    let tokens = without_tests(&tokens(text));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // A field or a method is no path.
        let member = at > 0 && tokens[at - 1].text == ".";
        if !tokens[at].is_word() || member {
            at += 1;
            continue;
        }
        let is_import = tokens[at].text == "use";
        at = path(&tokens, at + usize::from(is_import), &[], is_import, &mut found);
    }
    found
}

/// The names of `#[cfg(test)] mod NAME;`.
pub(crate) fn test_modules(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut names = Vec::new();
    for at in 0..tokens.len() {
        if let Some(item) = after_test_attribute(&tokens, at) {
            let words: Vec<&str> = tokens[item..].iter().take(3).map(|token| &*token.text).collect();
            if let ["mod", name, ";"] = words[..] {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Reads the path at `at`, and the group that may end it; gives where it ends, always beyond `at`.
fn path(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    is_import: bool,
    found: &mut Vec<UsedPath>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| &*token.text);
    let line = tokens.get(at).map_or(0, |token| token.line);
    let mut segments = before.to_vec();
    loop {
        match tokens.get(at) {
            Some(token) if token.is_word() => segments.push(token.text.clone()),
            Some(token) if token.text == "{" && is_import => return group(tokens, at, &segments, found),
            _ => break,
        }
        at += 1;
        if text(at) != "::" {
            break;
        }
        at += 1;
    }
    let called = text(at) == "(" && text(at + 1) == ")" && text(at + 2) == ".";
    found.push(UsedPath {
        segments,
        line,
        is_macro: text(at) == "!" && text(at + 1) != "=",
        is_import,
        then: if called {
            text(at + 3).to_owned()
        } else {
            String::new()
        },
    });
    at
}

/// Reads `{a, b::{c, d}}`; gives where it ends.
fn group(tokens: &[Token], open: usize, before: &[String], found: &mut Vec<UsedPath>) -> usize {
    let mut at = open + 1;
    while let Some(token) = tokens.get(at) {
        match &*token.text {
            "}" => return at + 1,
            "as" => at += 2,
            _ if token.is_word() => at = path(tokens, at, before, true, found),
            _ => at += 1,
        }
    }
    at
}

/// Takes out every item behind `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if let Some(item) = after_test_attribute(tokens, at) {
            at = end_of_item(tokens, item);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

fn after_test_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let here = tokens.get(at..at + ATTRIBUTE.len())?;
    let same = here.iter().zip(ATTRIBUTE).all(|(token, text)| token.text == text);
    same.then_some(at + ATTRIBUTE.len())
}

/// Behind the `;` or the closing brace of an item.
fn end_of_item(tokens: &[Token], item: usize) -> usize {
    let is_import = tokens.get(item).is_some_and(|token| token.text == "use");
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(item) {
        match &*token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && token.text == "}" && !is_import {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Words, `::` and other characters; comments, literals and lifetimes are left out.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let length = match first {
                _ if first.is_alphanumeric() || first == '_' => word(rest),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            let text = rest[..length].to_owned();
            tokens.push(Token { text, line });
            length
        });
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len())
}

/// How long the space, comment, literal or lifetime is that `rest` begins with.
fn skipped(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    if first.is_whitespace() {
        return Some(first.len_utf8());
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|rest| rest.trim_start_matches('#').starts_with('"') && is_literal(prefix, rest))
    });
    if let Some(prefix) = prefix {
        let body = &rest[prefix.len()..];
        let length = if prefix.ends_with('r') {
            raw_string(body)
        } else {
            quoted(body, '"')
        };
        return Some(prefix.len() + length);
    }
    match rest.strip_prefix('b').unwrap_or(rest) {
        body if body.starts_with('\'') => Some(rest.len() - body.len() + character(body)),
        _ => None,
    }
}

/// Only raw strings have `#` before the quote.
fn is_literal(prefix: &str, rest: &str) -> bool {
    prefix.ends_with('r') || rest.starts_with('"')
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn raw_string(body: &str) -> usize {
    let hashes = body.len() - body.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 1;
    body[start..]
        .find(&end)
        .map_or(body.len(), |at| start + at + end.len())
}

/// A literal in quotes, in which a backslash escapes.
fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    body.len()
}

/// A character such as `'x'` or `'\''`, or a lifetime such as `'a`.
fn character(body: &str) -> usize {
    let mut after = body.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(body, '\''),
        _ => 1 + word(&body[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Vec<String> {
        let joined = paths(text).into_iter().map(|path| path.segments.join("::"));
        joined.filter(|path| path.contains("::")).collect()
    }

    #[test]
    fn groups_are_opened_up() {
        assert_eq!(
            joined("use a::{self, b as c, d::{e, *}}; use f::g;"),
            ["a::self", "a::b", "a::d::e", "f::g"]
        );
    }

    #[test]
    fn literals_comments_and_lifetimes_hold_no_paths() {
        for text in [
            r#"let x = "a::b \" a::b";"#,
            r##"let x = r#"a::b " a::b"#;"##,
            r#"let x = b"a::b"; let y = br"a::b\"; let z = c"a::b";"#,
            "let x = '\"'; // a::b\nlet y = '\\''; /* a::b /* a::b */ a::b */",
            "fn f<'a>(x: &'a str) -> &'static str { x } // a::b",
        ] {
            assert_eq!(joined(text), [""; 0], "{text}");
        }
        assert_eq!(joined("let x = '\"'; a::b; let y = '\"';"), ["a::b"]);
        assert_eq!(joined("fn f<'a>(x: T<'a>) { a::b('x') }"), ["a::b"]);
    }

    #[test]
    fn items_of_tests_are_left_out_and_what_follows_is_not() {
        assert_eq!(
            joined("#[cfg(test)] mod tests { fn f() { a::b } } fn g() { c::d }"),
            ["c::d"]
        );
        assert_eq!(joined("#[cfg(test)] use a::{b, c}; use d::e;"), ["d::e"]);
        assert_eq!(
            joined("#[cfg(test)] fn f(x: [u8; 2]) -> a::b { 1 } use d::e;"),
            ["d::e"]
        );
    }

    #[test]
    fn test_modules_are_named() {
        assert_eq!(
            test_modules("mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\nmod c { }"),
            ["b"]
        );
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let text = "/* \n */ \"\n\" a::b";
        assert_eq!(paths(text)[0].line, 3);
    }
}
