//! Finds lookups in a template that are used as if they were values: compared with a text, a lookup would be unlike any.

use super::lookups::Lookups;
use crate::mapping::blame::Blame;
use crate::mapping::filters;

/// The first use of a lookup in which no key is looked up.
pub(in crate::mapping) fn bare(source: &str, lookups: &Lookups) -> Option<Blame> {
    let mut named = filters::names(source).filter(|range| lookups.has(&source[range.clone()]));
    let range = named.find(|range| {
        let (before, after) = (source[..range.start].trim_end(), source[range.end..].trim_start());
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next();
        !after.starts_with(['[', '.']) && word != Some("in")
    })?;
    let name = &source[range.clone()];
    let message = format!(
        "`{name}` is a lookup of the job: look a key up in it, as in `{name}[COLUMN]`; a column of that name is `row[\"{name}\"]`"
    );
    Some(Blame { range, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{LookupOptions, ValueOptions};

    #[test]
    fn a_lookup_without_a_key_is_found() {
        let options = LookupOptions::Values(ValueOptions {
            map: [("a".to_owned(), "b".to_owned())].into(),
            fold_case: false,
        });
        let lookups = Lookups::new(&[("hosts".to_owned(), options)].into());
        for (source, bare_at) in [
            ("{{ hosts[name] }}", None),
            ("{{ hosts [name].id }}{{ hosts.a }}{{ hosts.get(name) }}", None),
            ("{% if name in hosts and name not in hosts %}{% endif %}", None),
            ("{{ row.hosts ~ 'hosts' ~ row[\"hosts\"] }}{# hosts #}", None),
            ("{{ hosts }}", Some(3)),
            ("{{ name ~ hosts }}", Some(10)),
            ("{% if hosts == 'x' %}{% endif %}", Some(6)),
            ("{{ hosts | upper }}", Some(3)),
            ("{{ hosts[name] ~ within ~ hosts }}", Some(26)),
        ] {
            let found = bare(source, &lookups).map(|blame| blame.range.start);
            assert_eq!(found, bare_at, "{source}");
        }
    }
}
