//! A template that needs the engine: what it depends on, and the results that it remembers by that.
//!
//! Inventories repeat: few teams own many hosts. Rendering costs microseconds, looking a result up a tenth of that.

use hashbrown::HashMap;
use minijinja::{Environment, Error, ErrorKind};

use super::blame::Blame;
use super::engine::{self, Bounded};
use super::filters;
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
    /// Results by inputs; `None` where they may depend on more than the inputs.
    memory: Option<HashMap<Vec<u8>, String>>,
}

impl Engine {
    pub(super) fn compile(source: &str) -> Result<Self, Blame> {
        let mut env = engine::environment();
        let blame = |error: Error| Blame::engine(&error, source);
        env.add_template_owned(NAME, source.to_owned()).map_err(blame)?;
        if let Some(unknown) = filters::unknown(source, &env) {
            return Err(unknown);
        }
        let template = env.get_template(NAME).map_err(blame)?;
        let mut inputs: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        inputs.sort_unstable();
        let known =
            only_conditions(source) && !inputs.iter().any(|name| name == engine::ROW || name == TAGGED);
        inputs.retain(|name| name != engine::ROW);
        Ok(Self {
            env,
            inputs,
            memory: known.then(HashMap::new),
        })
    }

    /// The fields that it is known to name. A function of the engine, such as `range`, is none.
    pub(super) fn fields(&self) -> Vec<&str> {
        let is_global = |name: &str| self.env.globals().any(|(global, _)| global == name);
        let names = self.inputs.iter().map(String::as_str);
        names.filter(|name| !is_global(name)).collect()
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
    let mut out = Bounded::default();
    let rendered = env
        .get_template(NAME)
        .and_then(|template| template.render_captured_to(row.value(), &mut out).map(drop));
    rendered.map_err(|error| explain(&error, inputs, row))?;
    let text = String::from_utf8_lossy(&out.0);
    Ok(text.trim().to_owned())
}

/// What went wrong on a row. An undefined value is nearly always a field that the row does not have.
fn explain(error: &Error, inputs: &[String], row: &Row<'_>) -> String {
    if error.kind() != ErrorKind::UndefinedError {
        return engine::words(error);
    }
    // The engine says "`host.name` is undefined".
    let Some(blamed) = error.detail().and_then(|detail| detail.split('`').nth(1)) else {
        return engine::words(error);
    };
    let field = blamed.split(['.', '[']).next().unwrap_or(blamed);
    if inputs.iter().any(|name| name == field) && row.get(field).is_none() {
        return row.lacks(field);
    }
    format!("`{blamed}` is not in this row; where that is meant, add `| default(\"\")`")
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
            let known = Engine::compile(source).is_ok_and(|engine| engine.memory.is_some());
            assert_eq!(known, remembered, "{source}");
        }
    }

    #[test]
    fn the_memory_tells_rows_apart_and_stays_bounded() {
        let source = "{{ a }}-{{ b | default('none') }}";
        let mut remembering = Engine::compile(source).unwrap();
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
