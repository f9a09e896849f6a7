//! What reading a run back found, for people and as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use super::counts::{VERSION, pretty};
use crate::model::{Origin, Tag, display_safe};

/// Tags of one entity that people are shown on either side; the others are counted.
const MOST_TAGS: usize = 10;

/// An entity that is otherwise than its run left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferenceView {
    /// Where the first row of the entity stands.
    pub origin: Option<Origin>,
    /// The vendor's identifier.
    pub entity: String,
    /// Why its tags can't be compared; `None` when they were.
    pub trouble: Option<&'static str>,
    /// What it should carry and does not.
    pub lacks: Vec<Tag>,
    /// What it should not carry and does.
    pub carries: Vec<Tag>,
}

/// What reading back found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyView {
    /// The run.
    pub run: i64,
    /// Entities that it found and could work on.
    pub entities: u64,
    /// Those of them that were not looked at.
    pub skipped: u64,
    /// Those that differ.
    pub differences: Vec<DifferenceView>,
}

/// A line for each difference, and one that counts.
pub fn verify(view: &VerifyView) -> String {
    let mut text = String::new();
    for difference in &view.differences {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", display_safe(&sentence(difference)));
    }
    let VerifyView {
        run,
        entities,
        skipped,
        differences,
    } = view;
    let looked = entities - skipped;
    let differ = differences.len() as u64;
    let _ = write!(
        text,
        "run {run}: {looked} entities read back, {} as the run left them, {differ} not",
        looked - differ
    );
    if *skipped > 0 {
        let _ = write!(
            text,
            "; {skipped} not looked at, since nothing of them was confirmed"
        );
    }
    text.push('\n');
    text
}

fn sentence(difference: &DifferenceView) -> String {
    let mut text = String::new();
    if let Some(origin) = &difference.origin {
        let _ = write!(text, "{origin}: ");
    }
    text.push_str(&difference.entity);
    let mut parts: Vec<String> = difference.trouble.map(str::to_owned).into_iter().collect();
    for (how, tags) in [("lacks", &difference.lacks), ("carries", &difference.carries)] {
        if !tags.is_empty() {
            let shown = tags.iter().take(MOST_TAGS).map(|tag| format!("`{tag}`"));
            let mut shown = shown.collect::<Vec<_>>().join(", ");
            if tags.len() > MOST_TAGS {
                let _ = write!(shown, " and {} more", tags.len() - MOST_TAGS);
            }
            parts.push(format!("{how} {shown}"));
        }
    }
    let _ = write!(text, ": {}", parts.join("; "));
    text
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    run: i64,
    entities: u64,
    skipped: u64,
    differences: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    entity: &'a str,
    file: Option<Cow<'a, str>>,
    line: Option<u64>,
    trouble: Option<&'static str>,
    lacks: &'a [Tag],
    carries: &'a [Tag],
}

impl<'a> Entry<'a> {
    fn of(difference: &'a DifferenceView) -> Self {
        let place = difference.origin.as_ref().map(Origin::columns);
        let (file, line) = place.unzip();
        Self {
            entity: &difference.entity,
            file,
            line: line.flatten(),
            trouble: difference.trouble,
            lacks: &difference.lacks,
            carries: &difference.carries,
        }
    }
}

/// The same as a JSON document with a version.
pub fn verify_json(view: &VerifyView) -> String {
    pretty(&Document {
        version: VERSION,
        run: view.run,
        entities: view.entities,
        skipped: view.skipped,
        differences: view.differences.iter().map(Entry::of).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> VerifyView {
        let tags = |values: std::ops::Range<u32>| values.map(|n| Tag::new("env", Some(n.to_string())));
        let difference = DifferenceView {
            origin: Some(Origin {
                file: "hosts.csv".into(),
                line: 17,
                id: None,
            }),
            entity: "HOST-1".to_owned(),
            trouble: None,
            lacks: vec![Tag::new("env\u{7}", Some("prod"))],
            carries: tags(0..12).collect(),
        };
        let gone = DifferenceView {
            origin: None,
            entity: "HOST-2".to_owned(),
            trouble: Some("is no longer there"),
            lacks: Vec::new(),
            carries: Vec::new(),
        };
        VerifyView {
            run: 7,
            entities: 10,
            skipped: 3,
            differences: vec![difference, gone],
        }
    }

    #[test]
    fn each_difference_is_a_line_and_the_last_line_counts() {
        let want = "\
hosts.csv:17: HOST-1: lacks `env\\u{7}:prod`; carries `env:0`, `env:1`, `env:2`, `env:3`, `env:4`, `env:5`, `env:6`, \
                    `env:7`, `env:8`, `env:9` and 2 more
HOST-2: is no longer there
run 7: 7 entities read back, 5 as the run left them, 2 not; 3 not looked at, since nothing of them was confirmed
";
        assert_eq!(verify(&view()), want);
    }

    #[test]
    fn programs_get_all_of_it() {
        let got: serde_json::Value = serde_json::from_str(&verify_json(&view())).unwrap();
        assert_eq!(got["differences"][0]["carries"].as_array().unwrap().len(), 12);
        assert_eq!(got["differences"][0]["line"], 17);
        assert_eq!(got["differences"][1]["trouble"], "is no longer there");
        assert_eq!((&got["version"], &got["skipped"]), (&1.into(), &3.into()));
    }
}
