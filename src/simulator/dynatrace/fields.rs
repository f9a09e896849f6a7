//! The parameter `fields`: which parts of an entity an answer shows.

use serde_json::{Map, Value};

use super::envelope::Refused;

/// The properties of hosts that the simulator has values for; the first is the entity's own name, and there for every kind.
const PROPERTIES: [(&str, &str); 6] = [
    ("detectedName", ""),
    ("bitness", "64"),
    ("monitoringMode", "FULL_STACK"),
    ("osArchitecture", "X86"),
    ("osType", "LINUX"),
    ("state", "RUNNING"),
];

/// A part of an entity beside identifier, type and name, which always come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    FirstSeen,
    LastSeen,
    Tags,
    ManagementZones,
    FromRelationships,
    ToRelationships,
    /// One of [`PROPERTIES`].
    Property(usize),
}

/// The parts that are wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<Part>);

impl Fields {
    /// Reads `+tags,+properties.BITNESS`; the plus may be absent, or have become a space on its way.
    pub(super) fn parse(text: &str, kind: &str) -> Result<Self, Refused> {
        let mut fields = Self::default();
        let names = text
            .split(',')
            .map(|name| name.trim().trim_start_matches('+').trim());
        for name in names.filter(|name| !name.is_empty()) {
            if !fields.add(name, kind) {
                let message = format!("'{name}' is not a valid property for type '{kind}'");
                return Err(Refused::query("fields", message));
            }
        }
        Ok(fields)
    }

    /// Everything there is.
    pub(super) fn all(kind: &str) -> Self {
        let mut fields = Self(vec![Part::FirstSeen, Part::LastSeen]);
        for name in [
            "properties",
            "tags",
            "managementZones",
            "fromRelationships",
            "toRelationships",
        ] {
            fields.add(name, kind);
        }
        fields
    }

    fn add(&mut self, name: &str, kind: &str) -> bool {
        let part = match name {
            "firstSeenTms" => Part::FirstSeen,
            "lastSeenTms" => Part::LastSeen,
            "tags" => Part::Tags,
            "managementZones" => Part::ManagementZones,
            "fromRelationships" => Part::FromRelationships,
            "toRelationships" => Part::ToRelationships,
            // The first three always come, and no entity here has an icon.
            "entityId" | "type" | "displayName" | "icon" => return true,
            "properties" => {
                self.0.extend((0..n_properties(kind)).map(Part::Property));
                return true;
            }
            _ => {
                let wanted = name.strip_prefix("properties.").unwrap_or_default();
                let is_wanted = |(known, _): &(&str, _)| known.eq_ignore_ascii_case(wanted);
                match PROPERTIES.iter().take(n_properties(kind)).position(is_wanted) {
                    Some(at) => Part::Property(at),
                    None => return false,
                }
            }
        };
        self.0.push(part);
        true
    }

    /// Whether a part is wanted.
    pub(super) fn has(&self, part: Part) -> bool {
        self.0.contains(&part)
    }

    /// The wanted properties of an entity; `None` when none is wanted.
    pub(super) fn properties(&self, name: &str) -> Option<Map<String, Value>> {
        let property = |part: &Part| match part {
            Part::Property(at) => {
                let (property, fixed) = PROPERTIES[*at];
                let value = if fixed.is_empty() { name } else { fixed };
                Some((property.to_owned(), Value::from(value)))
            }
            _ => None,
        };
        Some(self.0.iter().filter_map(property).collect()).filter(|map: &Map<_, _>| !map.is_empty())
    }
}

fn n_properties(kind: &str) -> usize {
    if kind == "HOST" { PROPERTIES.len() } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_may_stand_be_absent_or_have_become_a_space() {
        let want = Fields(vec![Part::Tags, Part::LastSeen, Part::Property(1)]);
        for text in [
            "+tags,+lastSeenTms,+properties.BITNESS",
            "tags, lastSeenTms,properties.bitness",
            " tags, lastSeenTms, properties.bitness",
        ] {
            assert_eq!(Fields::parse(text, "HOST").as_ref(), Ok(&want), "{text}");
        }
        assert_eq!(Fields::parse("", "HOST"), Ok(Fields::default()));
    }

    #[test]
    fn a_field_must_exist_for_the_type() {
        for (text, kind, known) in [
            ("test", "HOST", false),
            ("properties.osType", "HOST", true),
            ("properties.osType", "SERVICE", false),
            ("properties.detectedName", "SERVICE", true),
            ("entityId,type,displayName", "SERVICE", true),
        ] {
            assert_eq!(Fields::parse(text, kind).is_ok(), known, "{text} of {kind}");
        }
        let body = Fields::parse("+test", "SOFTWARE_COMPONENT")
            .unwrap_err()
            .into_response()
            .into_body();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            body.contains("'test' is not a valid property for type 'SOFTWARE_COMPONENT'"),
            "{body}"
        );
    }
}
