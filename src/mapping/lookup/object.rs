//! Lookups and their rows as templates see them: `hosts[hostname].entity_id`, `hostname in hosts`, `stages.get(env, env)`.
//!
//! The engine can only be told that something is undefined. Which key was asked for in vain is noted beside it, so that a
//! row is rejected with the lookup and the key.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::crosswalk::Crosswalk;
use super::lookups::{Lookup, Values};
use super::options::Repeated;
use crate::mapping::engine;
use crate::mapping::nearest;

/// What the templates of a row asked lookups for in vain: the last of it.
#[derive(Debug, Clone, Default)]
pub(in crate::mapping) struct Missed(Arc<Mutex<Option<Miss>>>);

/// Something that a lookup does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mapping) enum Miss {
    /// A key or a column, in words.
    Told(String),
    /// The key itself was undefined.
    UndefinedKey,
}

impl Missed {
    /// Forgets what an earlier template missed.
    pub(in crate::mapping) fn forget(&self) {
        self.note(None);
    }

    /// What was missed last.
    pub(in crate::mapping) fn take(&self) -> Option<Miss> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, miss: Option<Miss>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = miss;
    }

    /// The error of an undefined key, which nearly always comes of what was missed before.
    fn undefined_key(&self) -> Error {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.get_or_insert(Miss::UndefinedKey);
        ErrorKind::UndefinedError.into()
    }
}

/// A lookup in the templates of one row.
#[derive(Debug)]
pub(in crate::mapping) struct View {
    name: String,
    table: Table,
    missed: Missed,
}

#[derive(Debug)]
enum Table {
    Rows(Arc<Crosswalk>),
    Values(Arc<Values>),
}

impl View {
    /// The view of a lookup; `None` of one whose file was not read.
    pub(in crate::mapping) fn new(name: &str, lookup: &Lookup, missed: &Missed) -> Option<Self> {
        let table = match lookup {
            Lookup::Unread(_) => return None,
            Lookup::Rows(crosswalk) => Table::Rows(Arc::clone(crosswalk)),
            Lookup::Values(values) => Table::Values(Arc::clone(values)),
        };
        Some(Self {
            name: name.to_owned(),
            table,
            missed: missed.clone(),
        })
    }

    fn find(&self, key: &str) -> Option<Value> {
        match &self.table {
            Table::Values(values) => values.find(key).map(Value::from),
            Table::Rows(crosswalk) => {
                let mut rows = crosswalk.find(key)?.map(|row| self.row(crosswalk, row));
                match crosswalk.repeated {
                    Repeated::List => Some(rows.collect()),
                    Repeated::Refuse | Repeated::First | Repeated::Last => rows.next(),
                }
            }
        }
    }

    fn row(&self, crosswalk: &Arc<Crosswalk>, row: u32) -> Value {
        Value::from_object(RowView {
            crosswalk: Arc::clone(crosswalk),
            row,
            json: crosswalk.object(row),
            missed: self.missed.clone(),
        })
    }

    /// Says that a key is not there.
    fn lacks(&self, key: &str) -> String {
        let Self { name, table, .. } = self;
        match table {
            _ if key.trim().is_empty() => format!("lookup `{name}` is asked for an empty key"),
            Table::Rows(crosswalk) => {
                format!("lookup `{name}` has no row of key `{key}` ({})", crosswalk.file)
            }
            Table::Values(_) => format!(
                "lookup `{name}` has no value of key `{key}`; add it to `map`, or give another with `{name}.get(KEY, OTHER)`"
            ),
        }
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if key.is_undefined() {
            // The engine stops at a value that is an error: a default shall not hide a misspelt column.
            return Some(self.missed.undefined_key().into());
        }
        match text(key) {
            Ok(key) => self.get_value_by_str(&key),
            Err(what) => {
                let told = format!(
                    "lookup `{}` is asked for {what}, and its keys are texts",
                    self.name
                );
                self.missed.note(Some(Miss::Told(told)));
                None
            }
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let found = self.find(key);
        if found.is_none() {
            self.missed.note(Some(Miss::Told(self.lacks(key))));
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    /// `get(key)` and `get(key, other)`.
    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if method != "get" {
            let why = format!("a lookup has no method `{method}`; there is `get(key, other)`");
            return Err(Error::new(ErrorKind::UnknownMethod, why));
        }
        let (key, other): (Value, Option<Value>) = from_args(args)?;
        if key.is_undefined() {
            return Err(self.missed.undefined_key());
        }
        Ok(self.get_value(&key).or(other).unwrap_or(Value::UNDEFINED))
    }
}

/// A key as text. `Err` says what it is instead.
fn text(key: &Value) -> Result<Cow<'_, str>, &'static str> {
    match key.kind() {
        ValueKind::None => Ok("".into()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.into()),
        ValueKind::Number => Ok(key.to_string().into()),
        ValueKind::Map | ValueKind::Plain => Err("a map"),
        ValueKind::Seq | ValueKind::Iterable => Err("a list"),
        _ => key.as_str().map(Cow::Borrowed).ok_or("no text"),
    }
}

/// A row of a crosswalk.
#[derive(Debug)]
struct RowView {
    crosswalk: Arc<Crosswalk>,
    row: u32,
    /// The row itself where it is JSON.
    json: Option<serde_json::Map<String, serde_json::Value>>,
    missed: Missed,
}

impl RowView {
    fn value(&self, column: &str) -> Option<Value> {
        if let Some(object) = &self.json {
            return object.get(column).map(engine::value);
        }
        let place = self.crosswalk.columns(self.row)?.place(column)?;
        self.crosswalk.cell(self.row, place).map(Value::from)
    }

    /// Notes that a column is not there, and gives what stands for it.
    fn missing(&self, column: &str, instead: Option<Value>) -> Option<Value> {
        self.missed.note(Some(Miss::Told(self.lacks(column))));
        instead
    }

    fn names(&self) -> Vec<&str> {
        match (&self.json, self.crosswalk.columns(self.row)) {
            (Some(object), _) => object.keys().map(String::as_str).collect(),
            (None, Some(index)) => index.names().iter().map(String::as_str).collect(),
            (None, None) => Vec::new(),
        }
    }

    fn lacks(&self, column: &str) -> String {
        let Crosswalk { name, .. } = &*self.crosswalk;
        let origin = self.crosswalk.origin(self.row);
        let hint = nearest(column, self.names())
            .map(|near| format!(" (did you mean `{near}`?)"))
            .unwrap_or_default();
        format!("lookup `{name}` has no field `{column}` in its row {origin}{hint}")
    }
}

impl Object for RowView {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    /// `row["column"]`, and `"column" in row`.
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let column = key.as_str()?;
        self.value(column).or_else(|| self.missing(column, None))
    }

    /// `row.column`, also in filters such as `map(attribute="column")`. These would pass over what is undefined, so that in a
    /// list of rows a column that no row can have is an error.
    fn get_value_by_str(self: &Arc<Self>, column: &str) -> Option<Value> {
        let is_list = self.crosswalk.repeated == Repeated::List;
        let error = (is_list && self.json.is_none()).then(|| Error::from(ErrorKind::UndefinedError));
        self.value(column)
            .or_else(|| self.missing(column, error.map(Value::from)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names().into_iter().map(Value::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{crosswalk, lines, rows};
    use crate::mapping::mapper::tests::{object, options, table};
    use crate::mapping::{Mapped, Mapper};
    use crate::model::{Class, EntityKey, Failure, Record};

    /// `hosts` of these rows, and some values.
    fn mapper(entity: &str, more: &str, of_hosts: &[Record]) -> Result<Mapper, String> {
        let job = format!(
            "entity = '''{entity}'''\n[lookups.hosts.crosswalk]\nfile = 'cw.csv'\nkey = 'k'\n{more}\n\
             [lookups.stages.values]\nmap = {{ dev = 'development', '1' = 'one', true = 'yes' }}\nfold_case = true\n"
        );
        let mut mapper = Mapper::compile(&options(&job)).map_err(|errors| errors[0].to_string())?;
        mapper.join(crosswalk(more, of_hosts).unwrap());
        assert!(mapper.crosswalk("hosts").is_none() && mapper.crosswalk("stages").is_none());
        Ok(mapper)
    }

    /// What a template makes of a row, twice.
    fn rendered(mapper: &mut Mapper, row: &Record) -> Result<String, String> {
        let text = |mapped: Result<Mapped, Failure>| match mapped {
            Ok(Mapped {
                entity: EntityKey::Id(id),
                ..
            }) => Ok(id),
            Ok(mapped) => panic!("{mapped:?}"),
            Err(Failure { class, message }) => {
                assert_eq!(class, Class::Mapping);
                Err(message.trim_start_matches("`target.entity`: ").to_owned())
            }
        };
        let first = text(mapper.map(row));
        assert_eq!(
            text(mapper.map(row)),
            first,
            "what is remembered is what was rendered"
        );
        first
    }

    fn of_table(entity: &str, row: &Record) -> Result<String, String> {
        let cells = [
            &["web-1", "HOST-1", "sre", "dev"][..],
            &["web-2", "HOST-2", "", "qa"],
        ];
        let rows = rows(&["k", "id", "team", "env"], &cells);
        rendered(&mut mapper(entity, "", &rows)?, row)
    }

    #[test]
    fn a_row_is_looked_up_by_what_another_row_says() {
        let row = table(&["host", "env", "n"], &[" web-1 ", "DEV", "1"]);
        for (template, want) in [
            ("{{ hosts[host].id }}", "HOST-1"),
            ("{{ hosts[host]['team'] | upper }}", "SRE"),
            ("{{ hosts['web-2'].id }}-{{ hosts[host].id }}", "HOST-2-HOST-1"),
            ("{{ hosts.get(host).id }}", "HOST-1"),
            ("{{ hosts.get('x', host) }}", "web-1"),
            ("{{ hosts[row['host']].id }}", "HOST-1"),
            ("{{ stages[hosts[host].env] }}", "development"),
            (
                "{{ stages[env] }} {{ stages.dev }} {{ stages[n] }}",
                "development development one",
            ),
            ("{{ stages[n | int] }} {{ stages[true] }}", "one yes"),
            (
                "{{ stages.get('qa', 'qa') }} {{ stages['qa'] | default('none') }}",
                "qa none",
            ),
            ("{% if host in hosts and 'x' not in hosts %}in{% endif %}", "in"),
            ("{{ hosts[host] is defined and hosts['x'] is undefined }}", "true"),
            (
                "{% for column in hosts[host] %}{{ column }};{% endfor %}",
                "k;id;team;env;",
            ),
        ] {
            assert_eq!(of_table(template, &row).as_deref(), Ok(want), "{template}");
        }
    }

    #[test]
    fn what_is_not_there_is_named_with_its_lookup() {
        let row = table(&["host", "blank", "env"], &["web-17", " ", "qa"]);
        let no_row = "lookup `hosts` has no row of key `web-17` (cw.csv)";
        let no_value = "lookup `stages` has no value of key `qa`; add it to `map`, or give another with `stages.get(KEY, OTHER)`";
        for (template, want) in [
            ("{{ hosts[host].id }}", no_row),
            ("{{ hosts.get(host).id }}", no_row),
            ("x{{ hosts[host].id | upper }}", no_row),
            ("{% if hosts[host].id == 'x' %}{% endif %}", no_row),
            ("{{ stages[hosts[host].env] }}", no_row),
            (
                "{{ hosts[blank].id }}",
                "lookup `hosts` is asked for an empty key",
            ),
            ("{{ stages[env] }}", no_value),
            ("{{ stages[env] | upper }}", no_value),
            ("{{ hosts[stages[env]].id }}", no_value),
            ("{{ stages[env] ~ 'x' }}", no_value),
            (
                "{{ hosts['web-1'].idd }}",
                "lookup `hosts` has no field `idd` in its row cw.csv:2 (did you mean `id`?)",
            ),
            (
                "{{ hosts[hsot].id }}",
                "no field `hsot` in this row; it has: host, blank, env (did you mean `host`?)",
            ),
            (
                "{{ stages[hsot] | default('x') }}",
                "no field `hsot` in this row; it has: host, blank, env (did you mean `host`?)",
            ),
            (
                "{{ stages.get(hsot, 'x') }}",
                "no field `hsot` in this row; it has: host, blank, env (did you mean `host`?)",
            ),
            (
                "{% if hsot in hosts %}{% endif %}",
                "no field `hsot` in this row; it has: host, blank, env (did you mean `host`?)",
            ),
            (
                "{{ stages['qa'] | default('') }}{{ hsot }}",
                "no field `hsot` in this row; it has: host, blank, env (did you mean `host`?)",
            ),
            (
                "{{ hotss[host].id }}",
                "no field `hotss` in this row; it has: host, blank, env (did you mean `hosts`?)",
            ),
            (
                "{{ hosts[[host]].id }}",
                "lookup `hosts` is asked for a list, and its keys are texts",
            ),
            (
                "{{ hosts.find(host) }}",
                "unknown method: a lookup has no method `find`; there is `get(key, other)`",
            ),
            (
                "{{ hosts['web-1'] }}",
                "invalid operation: a map is no text; use `join`, an index, or [[tags_from]]",
            ),
        ] {
            assert_eq!(of_table(template, &row), Err(want.to_owned()), "{template}");
        }
    }

    #[test]
    fn a_key_of_many_rows_gives_a_list() {
        let rows = rows(
            &["k", "team"],
            &[&["web", "sre"], &["db", "dba"], &["web", "net"]],
        );
        let row = table(&["host"], &["web"]);
        for (template, want) in [
            ("{{ hosts[host] | map(attribute='team') | join(';') }}", "sre;net"),
            ("{{ hosts['db'] | length }}{{ hosts['db'][0].team }}", "1dba"),
            (
                "{% for one in hosts[host] %}{{ one.team }},{% endfor %}",
                "sre,net,",
            ),
        ] {
            let mut mapper = mapper(template, "repeated = 'list'", &rows).unwrap();
            assert_eq!(rendered(&mut mapper, &row).as_deref(), Ok(want), "{template}");
        }
    }

    #[test]
    fn a_misspelt_column_of_a_list_is_told() {
        let rows = rows(&["k", "team"], &[&["web", "sre"], &["web", "net"]]);
        for (template, line) in [
            ("{{ hosts[host] | map(attribute='teem') | join(';') }}", 3),
            ("{{ hosts[host] | join(';', attribute='teem') }}", 2),
            ("{% for one in hosts[host] %}{{ one.teem }}{% endfor %}", 2),
            ("{% for one in hosts[host] %}{{ one['teem'] }}{% endfor %}", 2),
        ] {
            let mut mapper = mapper(template, "repeated = 'list'", &rows).unwrap();
            let told = rendered(&mut mapper, &table(&["host"], &["web"])).unwrap_err();
            let want =
                format!("lookup `hosts` has no field `teem` in its row cw.csv:{line} (did you mean `team`?)");
            assert_eq!(told, want, "{template}");
        }
    }

    #[test]
    fn rows_of_json_keep_their_form() {
        let rows =
            lines(&[r#"{"k": "web", "at": {"site": "fra"}, "n": 1.10, "ids": ["a", "b"], "no": null}"#]);
        let row = object(r#"{"host": "web"}"#);
        for (template, want) in [
            ("{{ hosts[host].at.site }} {{ hosts[host].n }}", Ok("fra 1.10")),
            ("{{ hosts[host].ids[1] }}{{ hosts[host].no }}", Ok("b")),
            (
                "{{ hosts[host].site }}",
                Err("lookup `hosts` has no field `site` in its row cw.jsonl:1"),
            ),
        ] {
            let mut mapper = mapper(template, "", &rows).unwrap();
            let got = rendered(&mut mapper, &row);
            assert_eq!(got.as_deref().map_err(String::as_str), want, "{template}");
        }
    }

    #[test]
    fn a_column_with_the_name_of_a_lookup_is_never_taken_for_it() {
        let row = table(&["host", "hosts"], &["web-1", "mine"]);
        let clash = "`hosts` is a field of this row and a lookup of the job; give the lookup another name";
        for (template, want) in [
            ("{{ hosts[host].id }}", Err(clash)),
            ("{{ hosts.get(host, 'x') }}", Err(clash)),
            ("{{ row['hosts'] }}-{{ host }}", Ok("mine-web-1")),
            ("{{ row[\"hosts\"] }}", Ok("mine")),
        ] {
            let got = of_table(template, &row);
            assert_eq!(got.as_deref().map_err(String::as_str), want, "{template}");
        }
        let misused = "`hosts` is a lookup of the job: look a key up in it";
        for template in [
            "{{ hosts }}",
            "{{ hosts | upper }}",
            "{% if hosts == 'mine' %}{% endif %}",
        ] {
            let refused = of_table(template, &row).unwrap_err();
            assert!(refused.contains(misused), "{refused}");
        }
    }
}
