//! Entities out of an inventory, so that a job finds its rows at the simulated vendor.
//!
//! A row that names nothing usable makes no entity: what is wrong with rows is for the program under test to tell.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::generate;
use super::opening::OpenError;
use super::population::{Made, Population};

/// Makes one entity for each distinct identifier or name of the inventory.
pub(super) fn entities(path: &Path, population: &Population) -> Result<Vec<Made>, OpenError> {
    let mut making = Making {
        population,
        seen: HashMap::new(),
        made: Vec::new(),
    };
    for row in rows_of(path, population)? {
        making.take(row);
    }
    Ok(making.made)
}

/// The rows of the inventory, as far as they say who the entities are.
pub(super) fn rows_of(path: &Path, population: &Population) -> Result<Vec<Row>, OpenError> {
    let refused = |why: String| OpenError::Inventory {
        path: path.to_owned(),
        why,
    };
    if population.name.is_none() && population.id.is_none() {
        return Err(refused(
            "say with `name` or `id` which field names the entities".to_owned(),
        ));
    }
    let bytes = fs::read(path).map_err(|source| OpenError::File {
        path: path.to_owned(),
        doing: "read",
        source,
    })?;
    rows(&bytes, population).map_err(refused)
}

fn rows(bytes: &[u8], population: &Population) -> Result<Vec<Row>, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match bytes.trim_ascii_start().first() {
        Some(b'[' | b'{') => json_rows(bytes, population),
        _ => csv_rows(bytes, population),
    }
}

/// The two cells of a row that matter, trimmed; empty ones are `None`.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) name: Option<String>,
    pub(super) id: Option<String>,
}

fn cell(text: &str) -> Option<String> {
    Some(text.trim())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn csv_rows(bytes: &[u8], population: &Population) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers().map_err(|why| why.to_string())?.clone();
    let column = |field: &Option<String>| -> Result<Option<usize>, String> {
        let Some(field) = field else { return Ok(None) };
        let at = header
            .iter()
            .position(|name| name.trim_ascii() == field.as_bytes());
        at.map(Some)
            .ok_or_else(|| format!("no column `{field}` in its header"))
    };
    let (name, id) = (column(&population.name)?, column(&population.id)?);
    let rows = reader.into_byte_records().filter_map(Result::ok).map(|record| {
        let text = |at: Option<usize>| cell(&String::from_utf8_lossy(record.get(at?)?));
        Row {
            name: text(name),
            id: text(id),
        }
    });
    Ok(rows.collect())
}

fn json_rows(bytes: &[u8], population: &Population) -> Result<Vec<Row>, String> {
    let document: Value = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
    let list = match &population.items {
        Some(key) => document
            .get(key)
            .ok_or_else(|| format!("no key `{key}` at its top"))?,
        None => &document,
    };
    let list = list
        .as_array()
        .ok_or("not a list of objects; name the key that holds it with `items`")?;
    let text = |row: &Value, field: &Option<String>| match row.get(field.as_ref()?)? {
        Value::String(text) => cell(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let row = |row| Row {
        name: text(row, &population.name),
        id: text(row, &population.id),
    };
    Ok(list.iter().map(row).collect())
}

struct Making<'a> {
    population: &'a Population,
    /// How often a folded name has occurred.
    seen: HashMap<String, u64>,
    made: Vec<Made>,
}

impl Making<'_> {
    fn take(&mut self, row: Row) {
        let stale = self.population.stale;
        let mut made = match (row.id, row.name) {
            (Some(text), name) => {
                // A foreign identifier belongs to no entity here; one that occurs again is the same entity.
                let Some((kind, id)) = identifier(&text) else {
                    return;
                };
                generate::bare(&kind, id, name.unwrap_or(text), stale)
            }
            (None, Some(name)) => {
                let Some(id) = self.derive(&name) else { return };
                generate::bare(&self.population.kinds[0], id, name, stale)
            }
            (None, None) => return,
        };
        if self.population.tagged() {
            generate::tag(&mut made, "prod");
        }
        self.made.push(made);
    }

    /// The identifier for a row that has only a name; `None` when an earlier row made the entity.
    fn derive(&mut self, name: &str) -> Option<u64> {
        // Names compare without case at the vendor, so two spellings are one entity.
        let folded = name.to_lowercase();
        let occurrence = self
            .seen
            .entry(folded.clone())
            .and_modify(|n| *n += 1)
            .or_insert(0);
        if *occurrence > 0 && !self.population.keep_duplicates {
            return None;
        }
        Some(id_of_name(&self.population.kinds[0], &folded, *occurrence))
    }
}

/// The identifier of an entity known by name: the first 64 bits, big-endian, of BLAKE3 over `KIND`, a zero byte, the name,
/// folded as the vendor compares names, and, from the second entity of the name on, another zero byte and the decimal
/// number of those before it.
pub(super) fn id_of_name(kind: &str, name: &str, occurrence: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(kind.as_bytes())
        .update(b"\0")
        .update(name.as_bytes());
    if occurrence > 0 {
        hasher.update(b"\0").update(occurrence.to_string().as_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(first)
}

/// Reads `KIND-` and 16 hexadecimal digits, in any case.
pub(super) fn identifier(text: &str) -> Option<(String, u64)> {
    let (kind, digits) = text.rsplit_once('-')?;
    let kind_is_legal = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let digits_are_legal = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if !kind_is_legal || !digits_are_legal {
        return None;
    }
    let id = u64::from_str_radix(digits, 16).ok()?;
    Some((kind.to_ascii_uppercase(), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str, options: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("inventory");
        fs::write(&path, text).unwrap();
        let mut population = Population::default();
        population.set("inventory", "inventory").unwrap();
        for (name, value) in options {
            population.set(name, value).unwrap();
        }
        let made = entities(&path, &population.of_kinds("HOST", str::to_owned))
            .map_err(|error| error.to_string())?;
        Ok(made
            .into_iter()
            .map(|made| (format!("{}-{:016X}", made.kind, made.id), made.name))
            .collect())
    }

    fn names(text: &str, options: &[(&str, &str)]) -> Vec<String> {
        made(text, options)
            .unwrap()
            .into_iter()
            .map(|(_, name)| name)
            .collect()
    }

    #[test]
    fn csv_and_json_make_the_same_entities() {
        let csv = "\u{FEFF}host,env\nweb1,prod\n\"db,1\",dev\n ,x\nweb1,prod\nWEB1,prod\nshort\n";
        let json =
            r#"[{"host":"web1"},{"host":"db,1"},{"host":null},{"env":"x"},{"host":"Web1"},{"host":"short"}]"#;
        let wrapped = format!(r#"{{"hosts":{json}}}"#);
        let from_csv = made(csv, &[("name", "host")]).unwrap();
        assert_eq!(names(csv, &[("name", "host")]), ["web1", "db,1", "short"]);
        assert_eq!(made(json, &[("name", "host")]).unwrap(), from_csv);
        assert_eq!(
            made(&wrapped, &[("name", "host"), ("items", "hosts")]).unwrap(),
            from_csv
        );
    }

    #[test]
    fn identifiers_come_from_their_column_and_decide_the_kind() {
        let csv = "id,name\nhost-00000000000000ab,a\nSERVICE-00000000000000CD,\nHOST-12,c\n,d\n";
        let made = made(csv, &[("id", "id"), ("name", "name")]).unwrap();
        let want = [
            ("HOST-00000000000000AB", "a"),
            ("SERVICE-00000000000000CD", "SERVICE-00000000000000CD"),
        ];
        assert_eq!(
            made.iter()
                .take(2)
                .map(|(id, name)| (&**id, &**name))
                .collect::<Vec<_>>(),
            want
        );
        assert_eq!(
            made.iter().skip(2).map(|(_, name)| &**name).collect::<Vec<_>>(),
            ["d"]
        );
    }

    #[test]
    fn namesakes_are_entities_of_their_own_only_when_asked_for() {
        let csv = "host\na\nA\na\n";
        let kept = made(csv, &[("name", "host"), ("duplicates", "keep")]).unwrap();
        let mut ids: Vec<_> = kept.iter().map(|(id, _)| id).collect();
        ids.dedup();
        assert_eq!(ids.len(), 3, "{kept:?}");
        assert_eq!(made(csv, &[("name", "host")]).unwrap(), kept[..1]);
    }

    #[test]
    fn what_is_wrong_with_an_inventory_is_said() {
        for (text, options, want) in [
            ("a\n1\n", &[("name", "b")][..], "no column `b` in its header"),
            ("a\n1\n", &[][..], "say with `name` or `id`"),
            (
                "{\"a\":[]}",
                &[("name", "b")][..],
                "name the key that holds it with `items`",
            ),
            (
                "{\"a\":[]}",
                &[("name", "b"), ("items", "c")][..],
                "no key `c` at its top",
            ),
        ] {
            let why = made(text, options).unwrap_err();
            assert!(why.contains(want), "{why}");
        }
    }
}
