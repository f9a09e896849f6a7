//! What makes a header usable.

use std::collections::HashSet;

use crate::model::Header;

/// The columns of a header line, or what is wrong with them.
///
/// Names are kept as they are written, blanks around them included; a name of blanks alone becomes `column_N`. A name
/// that stands there twice is refused, since a template that speaks of it could mean either.
pub(super) fn columns<'a>(cells: impl Iterator<Item = &'a [u8]>) -> Result<Header, String> {
    let mut names = Vec::new();
    for (index, cell) in cells.enumerate() {
        let name = str::from_utf8(cell).map_err(|_| {
            format!(
                "is not UTF-8 in column {}; name the file's encoding, such as `encoding = \"windows-1252\"`",
                index + 1
            )
        })?;
        if name.contains('\0') {
            return Err(format!(
                "holds a NUL byte in column {}; if the file is UTF-16, say `encoding = \"utf-16le\"` or `\"utf-16be\"`",
                index + 1
            ));
        }
        names.push(match name.trim() {
            "" => format!("column_{}", index + 1),
            _ => name.to_owned(),
        });
    }
    let header = Header { names };
    match doubles(&header) {
        doubles if doubles.is_empty() => Ok(header),
        doubles => Err(format!(
            "names {} more than once; a template could mean either, so rename all but one",
            doubles.join(", ")
        )),
    }
}

/// The names that stand there more than once, each once, quoted.
fn doubles(header: &Header) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    let again = header.names.iter().filter(|name| !seen.insert(name.as_str()));
    again
        .filter(|name| told.insert(name.as_str()))
        .map(|name| format!("`{name}`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_and_empty_ones_are_numbered() {
        for (cells, names) in [
            (&["a", "b"][..], &["a", "b"][..]),
            (&[" a ", "A", "a"], &[" a ", "A", "a"]),
            (&["a", "", " ", "b"], &["a", "column_2", "column_3", "b"]),
            (&[""], &["column_1"]),
        ] {
            let header = columns(cells.iter().map(|cell| cell.as_bytes())).unwrap();
            assert_eq!(header.names, names);
        }
    }

    #[test]
    fn a_header_that_could_be_misread_is_refused() {
        for (cells, reason) in [
            (
                &[&b"a"[..], b"b", b"a", b"a", b"b"][..],
                "names `a`, `b` more than once",
            ),
            (&[b"column_2", b""], "names `column_2` more than once"),
            (&[b"a", b"\xe9"], "is not UTF-8 in column 2"),
            (&[b"a\0"], "holds a NUL byte in column 1"),
        ] {
            let refused = columns(cells.iter().copied()).unwrap_err();
            assert!(refused.starts_with(reason), "{refused}");
        }
    }
}
