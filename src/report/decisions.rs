//! The file in which somebody decides on missing and ambiguous entities: a table for a spreadsheet, written anew as often
//! as one likes without losing what was decided.

use std::collections::{BTreeMap, HashMap};
use std::io;

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::csv::as_written;
use super::rows::ReportError;
use crate::ledger::Undecided;
use crate::model::{Class, guarded, unguarded};

/// The columns of a new file.
const COLUMNS: [&str; 6] = ["entity", "class", "rows", "first", "candidates", "decision"];

/// A file of decisions as it stands: cells are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionSheet {
    /// The names of its columns, `entity` and `decision` among them.
    pub header: Vec<String>,
    /// Its rows, each with as many cells.
    pub rows: Vec<Vec<String>>,
    /// What separates its cells.
    pub delimiter: char,
}

/// What a file of decisions holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecisionCounts {
    /// Rows with a decision, all from the file that was there.
    pub decided: u64,
    /// Rows without one.
    pub open: u64,
}

/// Writes the file: the decided rows of the one that is there as they are, and a row for each entity that is still to be
/// decided on. `form` is what two texts have in common that mean one entity.
pub fn decisions(
    undecided: &[Undecided],
    old: Option<&DecisionSheet>,
    form: impl Fn(&str) -> String,
    out: &mut dyn io::Write,
) -> Result<DecisionCounts, ReportError> {
    let fresh = DecisionSheet {
        header: COLUMNS.map(str::to_owned).into(),
        rows: Vec::new(),
        delimiter: ',',
    };
    let old = old.unwrap_or(&fresh);
    let columns = Columns::new(&old.header);
    let (rows, counts) = merged(undecided, old, &columns, &form);
    write(&columns.header, &rows, old.delimiter, out)?;
    Ok(counts)
}

/// Where the columns stand; those that the file lacks come last.
struct Columns {
    header: Vec<String>,
    places: [usize; COLUMNS.len()],
}

impl Columns {
    fn new(old: &[String]) -> Self {
        let mut header = old.to_vec();
        let places = COLUMNS.map(|column| {
            let place = header
                .iter()
                .position(|name| name.trim().eq_ignore_ascii_case(column));
            place.unwrap_or_else(|| {
                header.push(column.to_owned());
                header.len() - 1
            })
        });
        Self { header, places }
    }

    fn entity<'r>(&self, row: &'r [String]) -> &'r str {
        row.get(self.places[0]).map_or("", |cell| unguarded(cell))
    }

    fn is_decided(&self, row: &[String]) -> bool {
        row.get(self.places[5])
            .is_some_and(|cell| !cell.trim().is_empty())
    }

    /// The row of an entity; what other columns hold stays.
    fn row(&self, undecided: &Undecided, mut row: Vec<String>) -> Vec<String> {
        row.resize(self.header.len(), String::new());
        let first = undecided.first.as_ref().map(ToString::to_string);
        let cells = [
            &*undecided.entity,
            undecided.class.as_str(),
            &undecided.rows.to_string(),
            first.as_deref().unwrap_or_default(),
            &undecided.candidates.join("; "),
            "",
        ];
        for (place, cell) in self.places.iter().zip(cells) {
            row[*place] = guarded(cell).into_owned();
        }
        row
    }
}

/// The rows of the file: what was decided as it is, what is open as the run has it, and what is new at the end.
fn merged(
    undecided: &[Undecided],
    old: &DecisionSheet,
    columns: &Columns,
    form: &impl Fn(&str) -> String,
) -> (Vec<Vec<String>>, DecisionCounts) {
    let mut open = joined(undecided, form);
    for row in old.rows.iter().filter(|row| columns.is_decided(row)) {
        open.remove(&form(columns.entity(row)));
    }
    let mut counts = DecisionCounts::default();
    let mut rows = Vec::new();
    for row in &old.rows {
        if columns.is_decided(row) {
            let mut kept = row.clone();
            kept.resize(columns.header.len(), String::new());
            rows.push(kept);
            counts.decided += 1;
        } else if let Some((_, entity)) = open.remove(&form(columns.entity(row))) {
            rows.push(columns.row(&entity, row.clone()));
            counts.open += 1;
        }
    }
    let new: BTreeMap<usize, Undecided> = open.into_values().collect();
    counts.open += new.len() as u64;
    rows.extend(new.values().map(|entity| columns.row(entity, Vec::new())));
    (rows, counts)
}

/// The entities by their form, with their place: those that are called alike are decided on as one.
fn joined(undecided: &[Undecided], form: &impl Fn(&str) -> String) -> HashMap<String, (usize, Undecided)> {
    let mut joined: HashMap<String, (usize, Undecided)> = HashMap::new();
    for (place, one) in undecided.iter().enumerate() {
        let Some((_, known)) = joined.get_mut(&form(&one.entity)) else {
            joined.insert(form(&one.entity), (place, one.clone()));
            continue;
        };
        known.rows += one.rows;
        if one.class == Class::Ambiguous {
            known.class = Class::Ambiguous;
        }
        for id in &one.candidates {
            if !known.candidates.contains(id) {
                known.candidates.push(id.clone());
            }
        }
    }
    joined
}

/// As reports are written: UTF-8 without a byte order mark, every cell quoted.
fn write(
    header: &[String],
    rows: &[Vec<String>],
    delimiter: char,
    out: &mut dyn io::Write,
) -> Result<(), ReportError> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .delimiter(u8::try_from(delimiter).unwrap_or(b','))
        .from_writer(out);
    writer.write_record(header).map_err(as_written)?;
    for row in rows {
        writer.write_record(row).map_err(as_written)?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;

    fn undecided(entity: &str, class: Class, line: u64, candidates: &[&str]) -> Undecided {
        Undecided {
            entity: entity.to_owned(),
            class,
            rows: 2,
            first: Some(Origin {
                file: "hosts.csv".into(),
                line,
                id: None,
            }),
            candidates: candidates.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    fn sheet(delimiter: char, header: &[&str], rows: &[&[&str]]) -> DecisionSheet {
        let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        DecisionSheet {
            header: texts(header),
            rows: rows.iter().map(|row| texts(row)).collect(),
            delimiter,
        }
    }

    fn written(open: &[Undecided], old: Option<&DecisionSheet>) -> (String, DecisionCounts) {
        let mut out = Vec::new();
        let counts = decisions(open, old, str::to_lowercase, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), counts)
    }

    #[test]
    fn each_entity_has_a_row_with_room_for_a_decision() {
        let open = [
            undecided("web-1", Class::Ambiguous, 2, &["H-1", "H-2"]),
            undecided("=db", Class::Missing, 3, &[]),
            undecided("WEB-1", Class::Missing, 7, &["H-3"]),
        ];
        let want = "\"entity\",\"class\",\"rows\",\"first\",\"candidates\",\"decision\"\r\n\
                    \"web-1\",\"ambiguous\",\"4\",\"hosts.csv:2\",\"H-1; H-2; H-3\",\"\"\r\n\
                    \"'=db\",\"missing\",\"2\",\"hosts.csv:3\",\"\",\"\"\r\n";
        assert_eq!(
            written(&open, None),
            (want.to_owned(), DecisionCounts { decided: 0, open: 2 })
        );
    }

    #[test]
    fn what_was_decided_stays_as_it_is_and_what_is_no_longer_open_goes() {
        let old = sheet(
            ';',
            &["Entity", "decision", "who"],
            &[
                &["web-1", "H-1", "ann"],
                &["gone", "", "bob"],
                &["'=db", "", "cem"],
                &["not-in-this-run", "skip", "dan"],
            ],
        );
        let open = [
            undecided("new", Class::Missing, 2, &[]),
            undecided("=DB", Class::Missing, 3, &[]),
            undecided("Web-1", Class::Ambiguous, 4, &["H-1", "H-2"]),
        ];
        let want = "\"Entity\";\"decision\";\"who\";\"class\";\"rows\";\"first\";\"candidates\"\r\n\
                    \"web-1\";\"H-1\";\"ann\";\"\";\"\";\"\";\"\"\r\n\
                    \"'=DB\";\"\";\"cem\";\"missing\";\"2\";\"hosts.csv:3\";\"\"\r\n\
                    \"not-in-this-run\";\"skip\";\"dan\";\"\";\"\";\"\";\"\"\r\n\
                    \"new\";\"\";\"\";\"missing\";\"2\";\"hosts.csv:2\";\"\"\r\n";
        assert_eq!(
            written(&open, Some(&old)),
            (want.to_owned(), DecisionCounts { decided: 2, open: 2 })
        );
    }

    #[test]
    fn writing_it_again_changes_nothing() {
        for name in ["=a", "+a", "-a", "@a", "'a", "'=a", "''", "\ta", "a;b\"c\nd"] {
            let open = [undecided(name, Class::Missing, 2, &["H-1"])];
            let (first, _) = written(&open, None);
            let mut reader = csv::Reader::from_reader(first.as_bytes());
            let row: Vec<String> = reader
                .records()
                .next()
                .unwrap()
                .unwrap()
                .iter()
                .map(str::to_owned)
                .collect();
            assert_eq!(unguarded(&row[0]), name);
            let old = DecisionSheet {
                header: COLUMNS.map(str::to_owned).into(),
                rows: vec![row],
                delimiter: ',',
            };
            assert_eq!(written(&open, Some(&old)).0, first, "{name:?}");
        }
    }
}
