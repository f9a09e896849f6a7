//! Live entities written down as an inventory that reads back as the same.

use std::io::{self, BufRead, BufReader, Read};

use csv::{QuoteStyle, WriterBuilder};
use serde::Deserialize;

use super::live::{ordered, record};
use crate::model::{Grain, LiveEntity};

/// The columns of a table: a row for each tag.
const COLUMNS: [&str; 6] = ["id", "name", "kind", "key", "value", "context"];

/// How entities are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A row for each tag of an entity, and one with an empty key where it has none. Every cell is quoted, and none is
    /// changed for a spreadsheet: what is written is what is live.
    Csv,
    /// The record of an entity on each line.
    Jsonl,
}

impl ExportFormat {
    /// The word that the command line and the ledger use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// What stands before the first entity.
    pub fn header(self) -> Vec<u8> {
        match self {
            Self::Csv => table(&[COLUMNS]),
            Self::Jsonl => Vec::new(),
        }
    }

    /// Appends an entity of a kind. `Err` says why it can't be written down.
    pub fn append(
        self,
        entity: &LiveEntity,
        kind: &str,
        grain: Grain,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let record = record(entity, kind, grain)?;
        match self {
            Self::Csv => out.extend(rows(entity, kind)),
            Self::Jsonl => {
                serde_json::to_writer(&mut *out, &record).expect("an object with text keys is JSON");
                out.push(b'\n');
            }
        }
        Ok(())
    }

    /// Calls `see` with the identifier of each entity that was written, perhaps several times. A definition on a line of
    /// JSON has none.
    pub fn identifiers(self, written: impl Read, mut see: impl FnMut(&str)) -> io::Result<()> {
        match self {
            Self::Csv => {
                let mut reader = csv::Reader::from_reader(written);
                for row in reader.records() {
                    see(row.map_err(io::Error::from)?.get(0).unwrap_or_default());
                }
            }
            Self::Jsonl => {
                for line in BufReader::new(written).lines() {
                    let line: Identified = serde_json::from_str(&line?)?;
                    line.id.as_deref().into_iter().for_each(&mut see);
                }
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Identified {
    #[serde(default)]
    id: Option<String>,
}

fn rows(entity: &LiveEntity, kind: &str) -> Vec<u8> {
    let LiveEntity { id, name, tags, .. } = entity;
    let name = name.as_deref().unwrap_or_default();
    let tags = ordered(tags.as_deref().unwrap_or_default());
    let tagged = tags.iter().map(|(tag, context)| {
        let value = tag.value.as_deref().unwrap_or_default();
        [id, name, kind, &tag.key, value, context]
    });
    let mut rows: Vec<_> = tagged.collect();
    if rows.is_empty() {
        rows.push([id, name, kind, "", "", ""]);
    }
    table(&rows)
}

fn table(rows: &[[&str; 6]]) -> Vec<u8> {
    // A reader that has to find out the delimiter then sees no other one in the cells.
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row)
            .expect("a buffer takes rows of one length");
    }
    writer.into_inner().expect("a buffer can be flushed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Entry, Options, open};
    use crate::model::{Fields, LiveTag, Provenance, Record, Tag};

    fn entity(id: &str, name: Option<&str>, tags: &[(&str, &str)]) -> LiveEntity {
        let live = |(key, value): &(&str, &str)| LiveTag {
            tag: Tag::new(*key, Some(*value)),
            provenance: Provenance::Manual,
        };
        LiveEntity {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            tags: Some(tags.iter().map(live).collect()),
            handle: None,
        }
    }

    fn written(format: ExportFormat, entities: &[LiveEntity]) -> String {
        let mut out = format.header();
        for entity in entities {
            format.append(entity, "HOST", Grain::Delta, &mut out).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    fn fleet() -> Vec<LiveEntity> {
        vec![
            entity("1", Some("web, \"one\"\n"), &[("env", "prod"), ("bare", "")]),
            entity("2", None, &[]),
        ]
    }

    #[test]
    fn a_table_has_a_row_for_each_tag_and_one_for_an_entity_without_any() {
        let want = "\"id\",\"name\",\"kind\",\"key\",\"value\",\"context\"\n\
                    \"1\",\"web, \"\"one\"\"\n\",\"HOST\",\"bare\",\"\",\"manual\"\n\
                    \"1\",\"web, \"\"one\"\"\n\",\"HOST\",\"env\",\"prod\",\"manual\"\n\
                    \"2\",\"\",\"HOST\",\"\",\"\",\"\"\n";
        assert_eq!(written(ExportFormat::Csv, &fleet()), want);
    }

    #[test]
    fn a_line_of_json_is_the_record_of_an_entity() {
        let want = "{\"id\":\"1\",\"name\":\"web, \\\"one\\\"\\n\",\"kind\":\"HOST\",\"tags\":[{\"key\":\"bare\",\"value\":null,\"context\":\"manual\"},{\"key\":\"env\",\"value\":\"prod\",\"context\":\"manual\"}]}\n\
                    {\"id\":\"2\",\"name\":null,\"kind\":\"HOST\",\"tags\":[]}\n";
        assert_eq!(written(ExportFormat::Jsonl, &fleet()), want);
    }

    #[test]
    fn what_was_written_tells_its_identifiers() {
        for (format, want) in [
            (ExportFormat::Csv, vec!["1", "1", "2"]),
            (ExportFormat::Jsonl, vec!["1", "2"]),
        ] {
            let text = written(format, &fleet());
            let mut ids = Vec::new();
            format
                .identifiers(text.as_bytes(), |id| ids.push(id.to_owned()))
                .unwrap();
            assert_eq!(ids, want, "{format:?}");
        }
    }

    #[test]
    fn what_the_vendor_hides_is_not_written_as_nothing() {
        let hidden = LiveEntity {
            tags: None,
            ..entity("1", None, &[])
        };
        for format in [ExportFormat::Csv, ExportFormat::Jsonl] {
            let mut out = Vec::new();
            assert!(format.append(&hidden, "HOST", Grain::Delta, &mut out).is_err());
            assert!(out.is_empty());
        }
    }

    /// The cells of a table, as an inventory reads them.
    fn cells(text: &str) -> Vec<[String; 6]> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("live.csv"), text).unwrap();
        let options = Options {
            file: "live.csv".to_owned(),
            ..Options::default()
        };
        let row = |entry| match entry {
            Ok(Entry::Record(Record {
                fields: Fields::Table { row, .. },
                ..
            })) => std::array::from_fn(|place| row[place].to_owned()),
            other => panic!("no row: {other:?}"),
        };
        open(&options, folder.path()).unwrap().map(row).collect()
    }

    proptest::proptest! {
        /// Whatever texts are live, a reader that is told nothing but the format finds the same cells. A NUL is the one
        /// character that inventories refuse.
        #[test]
        fn any_text_reads_back_as_it_was(
            texts in proptest::collection::vec("(?s)[^\\x00]{1,12}|[=+@,;|\t\"\r\n -]{1,6}", 3),
        ) {
            let [name, key, value] = &texts[..] else { unreachable!() };
            let text = written(ExportFormat::Csv, &[entity("1", Some(name), &[(key, value)])]);
            proptest::prop_assert_eq!(cells(&text), [["1", name, "HOST", key, value, "manual"].map(str::to_owned)]);
        }
    }
}
