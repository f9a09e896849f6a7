//! A template that needs the engine: what it depends on, and the results that it remembers by that.
//!
//! Inventories repeat: few teams own many hosts. Rendering costs microseconds, looking a result up a tenth of that.

use hashbrown::HashMap;
use minijinja::{Environment, Error, ErrorKind};

use super::blame::Blame;
use super::engine::{self, Bounded};
use super::filters;
use super::lookup::{self, Lookups, Miss};
use super::row::{Cell, Row};
use super::tagged::TAGGED;

/// How many results of one template are kept; the memory is emptied when it is full.
const REMEMBERED: usize = 8_192;

/// The only template of its environment.
const NAME: &str = "template";

/// A template in an environment of its own, so that templates can't include each other: what it depends on is then
/// seen in itself.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    env: Environment<'static>,
    /// The names that it takes from the row, in order.
    inputs: Vec<String>,
    /// Those of them that are lookups.
    lookups: Vec<String>,
    /// Results by inputs; `None` where they may depend on more than the inputs.
    memory: Option<HashMap<Vec<u8>, String>>,
}

impl Engine {
    pub(super) fn compile(source: &str, lookups: &Lookups) -> Result<Self, Blame> {
        let mut env = engine::environment();
        let blame = |error: Error| Blame::engine(&error, source);
        env.add_template_owned(NAME, source.to_owned()).map_err(blame)?;
        if let Some(unknown) = filters::unknown(source, &env) {
            return Err(unknown);
        }
        if let Some(bare) = lookup::bare(source, lookups) {
            return Err(bare);
        }
        let template = env.get_template(NAME).map_err(blame)?;
        let mut inputs: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        inputs.sort_unstable();
        let known =
            only_conditions(source) && !inputs.iter().any(|name| name == engine::ROW || name == TAGGED);
        inputs.retain(|name| name != engine::ROW);
        Ok(Self {
            env,
            lookups: inputs.iter().filter(|name| lookups.has(name)).cloned().collect(),
            inputs,
            memory: known.then(HashMap::new),
        })
    }

    /// The fields that it is known to name. A function of the engine, such as `range`, is none, nor is a lookup.
    pub(super) fn fields(&self) -> Vec<&str> {
        let is_global = |name: &str| self.env.globals().any(|(global, _)| global == name);
        let names = self.inputs.iter().map(String::as_str);
        let is_lookup = |name: &str| self.lookups.iter().any(|lookup| lookup == name);
        names
            .filter(|name| !is_global(name) && !is_lookup(name))
            .collect()
    }

    /// What it renders, if that is the same for every row.
    pub(super) fn constant(&self) -> Option<String> {
        if !self.inputs.is_empty() || self.memory.is_none() {
            return None;
        }
        self.env
            .get_template(NAME)
            .and_then(|template| template.render(()))
            .ok()
    }

    pub(super) fn render(&mut self, row: &Row<'_>) -> Result<String, String> {
        if let Some(name) = self.lookups.iter().find(|name| row.get(name).is_some()) {
            return Err(format!(
                "`{name}` is a field of this row and a lookup of the job; give the lookup another name"
            ));
        }
        let Some(memory) = &mut self.memory else {
            return run(&self.env, &self.inputs, row);
        };
        let Some(key) = fingerprint(&self.inputs, row) else {
            return run(&self.env, &self.inputs, row);
        };
        if let Some(known) = memory.get(&key) {
            return Ok(known.clone());
        }
        let text = run(&self.env, &self.inputs, row)?;
        if memory.len() >= REMEMBERED {
            memory.clear();
        }
        memory.insert(key, text.clone());
        Ok(text)
    }
}

fn run(env: &Environment<'_>, inputs: &[String], row: &Row<'_>) -> Result<String, String> {
    row.missed().forget();
    let mut out = Bounded::default();
    let rendered = env
        .get_template(NAME)
        .and_then(|template| template.render_captured_to(row.value(), &mut out).map(drop));
    rendered.map_err(|error| explain(&error, inputs, row))?;
    let text = String::from_utf8_lossy(&out.0);
    Ok(text.trim().to_owned())
}

/// What went wrong on a row. An undefined value is nearly always a field that the row does not have, or a key that a lookup
/// does not have.
fn explain(error: &Error, inputs: &[String], row: &Row<'_>) -> String {
    if error.kind() != ErrorKind::UndefinedError {
        return engine::words(error);
    }
    // The engine says "`host.name` is undefined".
    let blamed = error.detail().and_then(|detail| detail.split('`').nth(1));
    let field = blamed.and_then(|blamed| blamed.split(['.', '[']).next());
    // It is not always right where a key is looked up within a key, so a field with a plain text is not to blame.
    let field = field.filter(|field| inputs.iter().any(|name| name == field) && !row.can_look_up(field));
    let field = field.filter(|field| row.get(field).is_none_or(|cell| cell.text().is_err()));
    if let Some(field) = field {
        return match row.get(field) {
            None => row.lacks(field),
            Some(_) => absent(blamed.unwrap_or(field)),
        };
    }
    match (row.missed().take(), first_missing(inputs, row), blamed) {
        (Some(Miss::Told(told)), ..) => told,
        (Some(Miss::UndefinedKey), Some(field), _) => row.lacks(field),
        (.., Some(blamed)) => absent(blamed),
        (.., None) => engine::words(error),
    }
}

fn absent(what: &str) -> String {
    format!("`{what}` is not in this row; where that is meant, add `| default(\"\")`")
}

/// The first name of a template that is neither a field of the row nor a lookup.
fn first_missing<'i>(inputs: &'i [String], row: &Row<'_>) -> Option<&'i str> {
    let missing = |name: &&String| row.get(name).is_none() && !row.can_look_up(name);
    inputs.iter().find(missing).map(String::as_str)
}

/// The inputs' texts in one key; `None` when one of them is a list or a map, which would cost more than it saves.
fn fingerprint(inputs: &[String], row: &Row<'_>) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(64);
    for name in inputs {
        let cell = row.get(name);
        let kind = match cell {
            None => b'-',
            Some(Cell::Json(serde_json::Value::Null)) => b'0',
            Some(Cell::Json(serde_json::Value::Bool(_))) => b'b',
            Some(_) => b't',
        };
        let text = cell.map_or(Ok("".into()), Cell::text).ok()?;
        key.push(kind);
        key.extend_from_slice(&text.len().to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
    Some(key)
}

/// Whether every block is an `if`: nothing is then assigned, so the undeclared names are all that the result depends on.
fn only_conditions(source: &str) -> bool {
    source.split("{%").skip(1).all(|block| {
        let word = block.trim_start_matches(['-', '+']).trim_start();
        ["if", "elif", "else", "endif"].iter().any(|known| {
            word.strip_prefix(known)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mapper::tests::object;

    #[test]
    fn what_is_assigned_in_a_template_is_never_remembered_by_its_inputs() {
        for (source, remembered) in [
            ("{{ a ~ b }}", true),
            ("{% if a %}{{ b }}{%- elif c -%}x{% else %}y{% endif %}", true),
            ("{% if a %}{% set b = 1 %}{% endif %}{{ b }}", false),
            ("{% for a in b %}{{ a }}{% endfor %}", false),
            ("{{ row.a ~ 1 }}", false),
            ("{% ifa %}", false),
        ] {
            let known =
                Engine::compile(source, &Lookups::default()).is_ok_and(|engine| engine.memory.is_some());
            assert_eq!(known, remembered, "{source}");
        }
    }

    #[test]
    fn the_memory_tells_rows_apart_and_stays_bounded() {
        let source = "{{ a }}-{{ b | default('none') }}";
        let mut remembering = Engine::compile(source, &Lookups::default()).unwrap();
        for (json, want) in [
            (r#"{"a":"1","b":"23"}"#, "1-23"),
            (r#"{"a":"12","b":"3"}"#, "12-3"),
            (r#"{"a":"12"}"#, "12-none"),
            (r#"{"a":"12","b":""}"#, "12-"),
            (r#"{"a":"1","b":"23"}"#, "1-23"),
        ] {
            let record = object(json);
            let rendered = remembering.render(&Row::new(&record, None));
            assert_eq!(rendered.as_deref(), Ok(want), "{json}");
        }
        for n in 0..REMEMBERED + 10 {
            let record = object(&format!(r#"{{"a":{n}}}"#));
            let rendered = remembering.render(&Row::new(&record, None));
            assert_eq!(rendered, Ok(format!("{n}-none")));
        }
        let memory = remembering.memory.expect("only fields are named");
        assert!((1..=REMEMBERED).contains(&memory.len()), "{}", memory.len());
    }
}
