//! The inventory as one stream of entries, whatever files and formats it is made of.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::vec;

use encoding_rs::{Encoding, REPLACEMENT};

use super::document::Document;
use super::files::{self, Place};
use super::json_lines::JsonLines;
use super::source::{self, Digest, Reading, Text};
use super::table::Table;
use super::{Entry, FileFacts, Format, InventoryError, Options};

/// Opens an inventory. Relative paths are relative to `base`, the job file's folder.
///
/// All files are looked up at once and the first is opened, so that what is plainly wrong is said before any row; the
/// others are opened when their turn comes.
pub fn open(options: &Options, base: &Path) -> Result<Inventory, InventoryError> {
    let encoding = options
        .encoding
        .as_deref()
        .map(|label| known(&options.file, label))
        .transpose()?;
    let mut inventory = Inventory {
        places: files::list(&options.file, base)?.into_iter(),
        options: options.clone(),
        encoding,
        rows: None,
        facts: Vec::new(),
        digests: Vec::new(),
    };
    inventory.open_next()?;
    Ok(inventory)
}

/// A stream of entries. After an `Err` it ends.
pub struct Inventory {
    places: vec::IntoIter<Place>,
    options: Options,
    encoding: Option<&'static Encoding>,
    rows: Option<Rows>,
    facts: Vec<FileFacts>,
    digests: Vec<Digest>,
}

/// The rows of one file.
enum Rows {
    Table(Table),
    Document(Document),
    Lines(JsonLines),
}

impl Inventory {
    /// What was detected about each file, in the order in which they are read: those that were opened so far, and all
    /// of them after the last entry. A file that was refused has none.
    pub fn facts(&self) -> &[FileFacts] {
        &self.facts
    }

    /// A BLAKE3 digest of the bytes that were read, final after the last entry. For one file it is what `b3sum FILE`
    /// prints; for several, what `b3sum FILE… | b3sum` does.
    pub fn digest(&self) -> String {
        if let [only] = self.digests.as_slice() {
            return only.hex();
        }
        let mut all = blake3::Hasher::new();
        for (digest, facts) in self.digests.iter().zip(&self.facts) {
            all.update(format!("{}  {}\n", digest.hex(), facts.file).as_bytes());
        }
        all.finalize().to_hex().to_string()
    }

    /// Opens the next file, if there is one.
    fn open_next(&mut self) -> Result<(), InventoryError> {
        self.rows = None;
        let Some(place) = self.places.next() else {
            return Ok(());
        };
        let file = &place.name;
        let digest = Digest::default();
        let text = self.text(&place, &digest)?;
        let format = self.options.format.or_else(|| Format::of_name(file));
        let format = format.unwrap_or_else(|| Format::of_text(&text.sample));
        self.options.check(file, format)?;
        let (encoding, gzip) = (text.encoding, text.gzip);
        let rows = Rows::open(file, text, format, &self.options)?;
        let table = match &rows {
            Rows::Table(table) => Some(table),
            Rows::Document(_) | Rows::Lines(_) => None,
        };
        self.facts.push(FileFacts {
            file: file.clone(),
            format,
            encoding,
            gzip,
            delimiter: table.map(|table| char::from(table.delimiter())),
            header: table.map(|table| table.header().clone()),
        });
        self.digests.push(digest);
        self.rows = Some(rows);
        Ok(())
    }

    fn text(&self, place: &Place, digest: &Digest) -> Result<Text, InventoryError> {
        let reading = Reading {
            encoding: self.encoding,
            gzip: place.is_gzip(),
            skip_lines: self.options.skip_lines,
        };
        source::text(bytes(place)?, reading, digest).map_err(|failed| InventoryError::Read {
            file: place.name.clone(),
            line: failed.line,
            source: failed.error,
        })
    }

    fn close(&mut self) {
        self.rows = None;
        self.places = Vec::new().into_iter();
    }
}

impl Iterator for Inventory {
    type Item = Result<Entry, InventoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.rows.as_mut()?.next();
            match entry.or_else(|| self.open_next().err().map(Err)) {
                // The file is read, and the next one is open or there is none.
                None => {}
                Some(Err(error)) => {
                    self.close();
                    return Some(Err(error));
                }
                entry => return entry,
            }
        }
    }
}

impl Rows {
    fn open(file: &Arc<str>, text: Text, format: Format, options: &Options) -> Result<Self, InventoryError> {
        Ok(match format {
            Format::Csv | Format::Tsv => Self::Table(Table::open(file, text, format, options)?),
            Format::Json => Self::Document(Document::open(file, text, options.items.as_deref())?),
            Format::Jsonl => Self::Lines(JsonLines::open(file, text)),
        })
    }

    fn next(&mut self) -> Option<Result<Entry, InventoryError>> {
        match self {
            Self::Table(table) => table.next(),
            Self::Document(document) => document.next(),
            Self::Lines(lines) => lines.next(),
        }
    }
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory")
            .field("options", &self.options)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

fn bytes(place: &Place) -> Result<Box<dyn Read + Send>, InventoryError> {
    Ok(match &place.path {
        None => Box::new(io::stdin()),
        Some(path) => Box::new(File::open(path).map_err(|source| InventoryError::Open {
            file: place.name.to_string(),
            source,
        })?),
    })
}

/// The encoding of a label. Those that the Encoding Standard replaces for safety can't be read.
fn known(file: &str, label: &str) -> Result<&'static Encoding, InventoryError> {
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT).ok_or_else(|| {
        InventoryError::Option {
            file: file.into(),
            option: "encoding",
            reason: format!("is `{label}`, which is no known encoding; use a label such as `utf-8`, `utf-16le` or `windows-1252`"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{line_of, read, told, zipped};
    use super::*;
    use std::fs;

    fn encoded(label: &str) -> Options {
        Options {
            encoding: Some(label.into()),
            ..Options::default()
        }
    }

    #[test]
    fn every_format_gives_rows_with_their_lines() {
        let broken = "3 bad: is no JSON at character 6: expected value";
        for (name, text, rows) in [
            ("a.csv", "a,b\n1,2\n\n3,4", &["2 a=1 b=2", "4 a=3 b=4"][..]),
            ("a.tsv", "a\tb\n1\t2\n", &["2 a=1 b=2"]),
            (
                "a.json",
                "[\n {\"a\": 1},\n {\n\"b\": 2.50}\n]\n",
                &["2 {\"a\":1}", "3 {\"b\":2.50}"],
            ),
            (
                "a.jsonl",
                "{\"a\":1}\n\n{\"a\":}\n{\"a\":3}",
                &["1 {\"a\":1}", broken, "4 {\"a\":3}"],
            ),
            ("a.txt", "a;b\r\n1;2\r\n", &["2 a=1 b=2"]),
            ("a", "{\"a\":1}\r{\"a\":2}", &["1 {\"a\":1}", "2 {\"a\":2}"]),
        ] {
            assert_eq!(read(name, text.as_bytes(), Options::default()), rows, "{name}");
            assert_eq!(
                read(
                    &format!("{name}.gz"),
                    &zipped(text.as_bytes()),
                    Options::default()
                ),
                rows,
                "{name}.gz"
            );
            assert_eq!(
                read(name, &zipped(text.as_bytes()), Options::default()),
                rows,
                "{name}, really gzip"
            );
            let marked = ["\u{feff}", text].concat();
            assert_eq!(
                read(name, marked.as_bytes(), Options::default()),
                rows,
                "{name} with a mark"
            );
            let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(read(name, &wide, Options::default()), rows, "{name} in UTF-16");
            let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(
                read(name, &wide, encoded("windows-1252")),
                rows,
                "{name}: the mark wins"
            );
        }
    }

    #[test]
    fn a_named_encoding_is_decoded_and_what_it_forbids_is_bad() {
        let advice = "if the file is in another encoding, name it, such as `encoding = \"windows-1252\"`";
        let unlike = format!("2 bad: column `b` is not legal UTF-8; {advice}");
        let halved = "2 bad: column `a` is not legal Shift_JIS; check the name of the encoding";
        for (bytes, options, rows) in [
            (
                &b"a,b\n1,\xe9\n2,y\n"[..],
                encoded("latin1"),
                &["2 a=1 b=é", "3 a=2 b=y"][..],
            ),
            (b"a,b\n1,\xe9\n2,y\n", Options::default(), &[&unlike, "3 a=2 b=y"]),
            (
                b"a,b\n\x93,1\n\x93\xfa,2\n",
                encoded("shift_jis"),
                &[halved, "3 a=日 b=2"],
            ),
        ] {
            assert_eq!(read("a.csv", bytes, options), rows);
        }
    }

    #[test]
    fn a_file_that_can_not_be_trusted_is_refused() {
        let gzip = zipped("a,b\n1,2\n".repeat(99_999).as_bytes());
        let mut damaged = gzip.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xFF;
        let cut = &gzip[..gzip.len() - 9];
        for (name, bytes, options, wanted) in [
            (
                "a.csv",
                &b""[..],
                Options::default(),
                "a.csv: the file has no header: it is empty",
            ),
            (
                "a.csv",
                b"\xef\xbb\xbf\r\n\n",
                Options::default(),
                "a.csv: the file has no header: it is empty",
            ),
            (
                "a.csv.gz",
                b"a,b\n1,2\n3,4\n",
                Options::default(),
                "a.csv.gz:1: the file can't be read on: the gzip data is damaged",
            ),
            (
                "a.csv",
                &damaged,
                Options::default(),
                "the file can't be read on: the gzip data is",
            ),
            (
                "a.csv",
                cut,
                Options::default(),
                "the file can't be read on: the gzip data is cut off",
            ),
            (
                "a.csv",
                b"\xff\xfe\0\0a\0\0\0",
                Options::default(),
                "it is UTF-32",
            ),
            (
                "a.csv",
                b"a\0,\0b\0",
                Options::default(),
                "a.csv:1: the header holds a NUL byte in column 1",
            ),
            (
                "a.csv",
                b"a,b\n",
                encoded("klingon"),
                "a.csv: option `encoding` is `klingon`, which is no known",
            ),
            ("a.csv", b"a,b\n", encoded("hz-gb-2312"), "option `encoding`"),
        ] {
            let told = read(name, bytes, options);
            assert!(
                told.last().unwrap().contains(wanted),
                "{wanted}: {:?}",
                told.last()
            );
        }
    }

    #[test]
    fn a_damaged_file_says_how_far_it_was_read() {
        let gzip = zipped("a,b\n1,2\n".repeat(99_999).as_bytes());
        let told = read("a.csv", &gzip[..gzip.len() - 9], Options::default());
        // The lines up to the cut came out, each but the header once.
        let line: usize = told.last().unwrap().split(':').nth(1).unwrap().parse().unwrap();
        assert!(
            line >= told.len() && line > 100_000,
            "{line}, {} entries",
            told.len()
        );
    }

    #[test]
    fn lines_are_left_out_and_still_counted() {
        let skip = |skip_lines| Options {
            skip_lines,
            ..Options::default()
        };
        for (text, options, rows) in [
            ("x\ny\na,b\n1,2\n", skip(2), &["4 a=1 b=2"][..]),
            ("x\r\ny\r\na,b\r\n1,2\r\n", skip(2), &["4 a=1 b=2"]),
            ("x\ra,b\r1,2", skip(1), &["3 a=1 b=2"]),
            ("x\n", skip(5), &["a.csv: the file has no header: it is empty"]),
        ] {
            assert_eq!(read("a.csv", text.as_bytes(), options), rows, "{text:?}");
        }
    }

    #[test]
    fn the_files_of_a_pattern_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.csv"), "y;z\n3;4\n").unwrap();
        fs::write(folder.path().join("a.csv"), "x\n1\n").unwrap();
        let options = Options {
            file: "*.csv".into(),
            ..Options::default()
        };
        assert_eq!(told(&options, folder.path()), ["2 x=1", "2 y=3 z=4"]);
        let mut inventory = open(&options, folder.path()).unwrap();
        assert_eq!(inventory.facts().len(), 1);
        let origins: Vec<_> = inventory
            .by_ref()
            .map(|entry| match entry.unwrap() {
                Entry::Record(record) => record.origin.to_string(),
                Entry::Bad { reason, .. } => reason,
            })
            .collect();
        assert_eq!(origins, ["a.csv:2", "b.csv:2"]);
        let delimiters: Vec<_> = inventory.facts().iter().map(|facts| facts.delimiter).collect();
        assert_eq!(delimiters, [Some(','), Some(';')]);
    }

    #[test]
    fn after_an_error_nothing_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("a.csv", "x\n1\n"), ("b.csv", ""), ("c.csv", "x\n2\n")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let options = Options {
            file: "*.csv".into(),
            ..Options::default()
        };
        let told = told(&options, folder.path());
        assert_eq!(told, ["2 x=1", "b.csv: the file has no header: it is empty"]);
        let mut inventory = open(&options, folder.path()).unwrap();
        assert!(inventory.by_ref().any(|entry| entry.is_err()));
        assert!(inventory.next().is_none());
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |file: &str| {
            let options = Options {
                file: file.into(),
                ..Options::default()
            };
            let mut inventory = open(&options, folder.path()).unwrap();
            inventory
                .by_ref()
                .for_each(|entry| assert!(entry.is_ok(), "{}", line_of(&entry)));
            inventory.digest()
        };
        let bytes = ["a,b\n", &"1,2\n".repeat(50_000)].concat();
        let gzip = zipped(bytes.as_bytes());
        fs::write(folder.path().join("a.csv"), &bytes).unwrap();
        fs::write(folder.path().join("b.csv"), &gzip).unwrap();
        let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        assert_eq!(digest("a.csv"), hash(bytes.as_bytes()));
        assert_eq!(digest("b.csv"), hash(&gzip));
        let both = format!("{}  a.csv\n{}  b.csv\n", hash(bytes.as_bytes()), hash(&gzip));
        assert_eq!(digest("?.csv"), hash(both.as_bytes()));
    }
}
