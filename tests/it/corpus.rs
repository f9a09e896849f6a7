//! Real and torturing inventories, from a folder that is not part of the project: `TAGFERRY_INPUTS` names it.
//!
//! The answers come from elsewhere: `EXPECTED.json` from Python's `csv` and `json`, csv-spectrum's from its own JSON,
//! `JSONTestSuite`'s from the names of its files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tagferry::inventory::{self, Entry, Format, InventoryError, Options};
use tagferry::model::{Fields, Record};

/// The folder of inputs; without it a test has nothing to say and says so.
fn inputs() -> Option<PathBuf> {
    let folder = std::env::var_os("TAGFERRY_INPUTS").map(PathBuf::from);
    if folder.is_none() {
        println!("not tried: TAGFERRY_INPUTS names no folder of inventories");
    }
    folder
}

/// An inventory that was read to its end, or until it was refused.
#[derive(Debug, Default)]
struct Told {
    records: Vec<Record>,
    bad: Vec<(u64, String)>,
    refusal: Option<InventoryError>,
    facts: Vec<inventory::FileFacts>,
}

fn told(base: &Path, options: &Options) -> Told {
    let mut told = Told::default();
    let mut inventory = match inventory::open(options, base) {
        Ok(inventory) => inventory,
        Err(error) => {
            return Told {
                refusal: Some(error),
                ..told
            };
        }
    };
    for entry in inventory.by_ref() {
        match entry {
            Ok(Entry::Record(record)) => told.records.push(record),
            Ok(Entry::Bad { origin, reason }) => told.bad.push((origin.line, reason)),
            Err(error) => told.refusal = Some(error),
        }
    }
    told.facts = inventory.facts().to_vec();
    told
}

fn named(file: &str) -> Options {
    Options {
        file: file.to_owned(),
        ..Options::default()
    }
}

/// The whole inventory, which must have no flaw.
fn flawless(base: &Path, options: &Options) -> Vec<Record> {
    let told = told(base, options);
    assert!(told.refusal.is_none(), "{}: {:?}", options.file, told.refusal);
    assert!(told.bad.is_empty(), "{}: {:?}", options.file, told.bad);
    told.records
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A table's row as the object that other tools make of it.
fn object(record: &Record) -> Value {
    match &record.fields {
        Fields::Table { header, row } => header
            .names
            .iter()
            .zip(row)
            .map(|(name, cell)| (name.clone(), Value::from(cell)))
            .collect(),
        Fields::Object(object) => Value::Object(object.clone()),
    }
}

/// The files of a folder with an extension, in order.
fn files(folder: &Path, extension: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|found| found == extension)
        })
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{}", folder.display());
    names
}

#[test]
fn tables_are_read_as_python_reads_them() {
    let Some(inputs) = inputs() else { return };
    let expected = json(&inputs.join("EXPECTED.json"));
    let tables = expected
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, facts)| facts.get("header").is_some());
    let mut n_tables = 0;
    for (file, facts) in tables {
        n_tables += 1;
        let encoding = (facts["encoding"] == "latin1").then(|| "latin1".to_owned());
        let told = told(
            &inputs,
            &Options {
                encoding,
                ..named(file)
            },
        );
        assert!(told.refusal.is_none(), "{file}: {:?}", told.refusal);
        let detected = &told.facts[0];
        let header = &detected.header.as_ref().unwrap().names;
        assert_eq!(Value::from(header.clone()), facts["header"], "{file}");
        assert_eq!(
            detected.delimiter.map(String::from).as_deref(),
            facts["delimiter"].as_str(),
            "{file}"
        );
        let widths = facts["widths"].as_object().unwrap();
        let rows_of = |width: &str| widths.get(width).map_or(0, |rows| rows.as_u64().unwrap());
        let usable = usize::try_from(rows_of(&header.len().to_string()) - 1).unwrap();
        assert_eq!(told.records.len(), usable, "{file}");
        let rows = usize::try_from(facts["records_with_header"].as_u64().unwrap()).unwrap() - 1;
        assert_eq!(told.records.len() + told.bad.len(), rows, "{file}");
    }
    assert!(n_tables > 10);
}

#[test]
fn the_same_inventory_as_csv_and_as_json_has_the_same_rows() {
    let Some(inputs) = inputs() else { return };
    let azure = inputs.join("azure");
    let table = flawless(&azure, &named("*.csv"));
    let objects = flawless(&azure, &named("*.json"));
    assert_eq!(table.len(), objects.len());
    for (row, element) in table.iter().zip(&objects) {
        let mut element = object(element);
        // An export to CSV has no null.
        for value in element
            .as_object_mut()
            .unwrap()
            .values_mut()
            .filter(|value| value.is_null())
        {
            *value = "".into();
        }
        assert_eq!(object(row), element, "{}", row.origin);
    }
}

#[test]
fn documents_are_read_element_by_element() {
    let Some(inputs) = inputs() else { return };
    let aws = "aws/aws-c7n-resourcegroupstagging.json";
    let hint = told(&inputs, &named(aws)).refusal.unwrap().to_string();
    assert!(
        hint.ends_with("say `items = \"ResourceTagMappingList\"`"),
        "{hint}"
    );
    for (file, items) in [
        (aws, "ResourceTagMappingList"),
        ("netbox/netbox-demo-v3.6-subset.json", ""),
        ("csv-csvkit/testjson.json", ""),
        ("csv-csvkit/testjson_nested.json", ""),
        ("csv-csvkit/test_geojson.json", "features"),
    ] {
        let whole = json(&inputs.join(file));
        let list = if items.is_empty() { &whole } else { &whole[items] };
        let items = (!items.is_empty()).then(|| items.to_owned());
        let records = flawless(&inputs, &Options { items, ..named(file) });
        assert_eq!(&records.iter().map(object).collect::<Value>(), list, "{file}");
        let text = fs::read_to_string(inputs.join(file)).unwrap();
        for record in &records {
            let line = text
                .lines()
                .nth(usize::try_from(record.origin.line).unwrap() - 1)
                .unwrap();
            assert!(line.contains('{'), "{}: {line}", record.origin);
        }
    }
    let lines = "csv-csvkit/testjson_multiline.json";
    let hint = told(&inputs, &named(lines)).refusal.unwrap().to_string();
    assert!(hint.ends_with("say `format = \"jsonl\"`"), "{hint}");
    assert_eq!(
        flawless(
            &inputs,
            &Options {
                format: Some(Format::Jsonl),
                ..named(lines)
            }
        )
        .len(),
        2
    );
}

#[test]
fn csv_spectrum_is_read_as_its_own_json_says() {
    let Some(inputs) = inputs() else { return };
    let spectrum = inputs.join("csv-spectrum");
    for file in files(&spectrum.join("csvs"), "csv") {
        let rows: Value = flawless(&spectrum.join("csvs"), &named(&file))
            .iter()
            .map(object)
            .collect();
        let answer = json(&spectrum.join("json").join(&file).with_extension("json"));
        if file == "location_coordinates.csv" {
            // Its answer is an object alone, with a telephone number that is not in the table.
            let (row, answer) = (rows[0].as_object().unwrap(), answer.as_object().unwrap());
            assert!(row.iter().skip(1).eq(answer.iter().skip(1)), "{row:?}");
        } else {
            assert_eq!(rows, answer, "{file}");
        }
    }
}

#[test]
fn every_row_of_csvkits_files_is_a_record_or_bad() {
    let Some(inputs) = inputs() else { return };
    let csvkit = inputs.join("csv-csvkit");
    let mut refused = Vec::new();
    for file in files(&csvkit, "csv") {
        let told = told(&csvkit, &named(&file));
        if let Some(refusal) = told.refusal {
            assert!(refusal.to_string().starts_with(&file), "{refusal}");
            refused.push(file);
            continue;
        }
        let mut lines: Vec<_> = told.records.iter().map(|record| record.origin.line).collect();
        lines.extend(told.bad.iter().map(|(line, _)| line));
        lines.sort_unstable();
        assert!(lines.is_sorted_by(|a, b| a < b), "{file}: {lines:?}");
        assert_eq!(
            lines.len() + 1,
            rows_of(&csvkit.join(&file), told.facts[0].delimiter),
            "{file}"
        );
    }
    assert_eq!(refused, ["empty.csv"]);
    for (file, line) in [
        ("null_byte.csv", 2),
        ("test_latin1.csv", 3),
        ("join_a_short.csv", 2),
        ("bad.csv", 2),
    ] {
        assert_eq!(told(&csvkit, &named(file)).bad[0].0, line, "{file}");
    }
}

/// How many rows are in a table as the `csv` crate counts them, which is all that the room shares with it here.
fn rows_of(path: &Path, delimiter: Option<char>) -> usize {
    let mut bytes = fs::read(path).unwrap();
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        // Every second byte is enough to count by.
        bytes.retain(|byte| !matches!(byte, 0 | 0xFE | 0xFF));
    }
    let mut reader = csv::ReaderBuilder::new();
    reader
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(delimiter.unwrap()).unwrap());
    reader.from_reader(bytes.as_slice()).byte_records().count()
}

#[test]
fn json_test_suite_is_accepted_and_refused_as_its_names_say() {
    let Some(inputs) = inputs() else { return };
    let suite = inputs.join("json-testsuite/test_parsing");
    for file in files(&suite, "json") {
        let told = told(&suite, &named(&file));
        match (file.as_bytes()[0], &told.refusal) {
            // What is JSON and no list of rows is refused as that.
            (b'y', None | Some(InventoryError::NoList { .. })) | (b'n', Some(_)) | (b'i', _) => {}
            (_, refusal) => panic!("{file}: {refusal:?}, {:?}", told.bad),
        }
    }
}

#[test]
fn what_json_leaves_open_is_kept_or_named() {
    let Some(inputs) = inputs() else { return };
    let transform = inputs.join("json-testsuite/test_transform");
    let folder = tempfile::tempdir().unwrap();
    for file in files(&transform, "json") {
        let mut text = b"[{\"x\":\n".to_vec();
        text.extend(fs::read(transform.join(&file)).unwrap());
        text.extend(b"}]");
        fs::write(folder.path().join(&file), text).unwrap();
        let told = told(folder.path(), &named(&file));
        assert!(told.refusal.is_none(), "{file}: {:?}", told.refusal);
        let kept = told.records.first().map(|record| object(record).to_string());
        let number = file
            .strip_prefix("number_")
            .and_then(|name| name.strip_suffix(".json"));
        match number {
            // `serde_json` writes exponents its own way.
            Some("1e-999" | "1e6") => assert!(kept.is_some(), "{file}"),
            Some(number) => assert_eq!(kept, Some(format!("{{\"x\":[{number}]}}"))),
            None if file.contains("same_key") => assert!(told.bad[0].1.contains("`a` twice"), "{file}"),
            None if file.contains("invalid") => assert_eq!(told.bad.len(), 1, "{file}"),
            None => assert!(kept.is_some(), "{file}: {:?}", told.bad),
        }
    }
}
