//! `schema`: the JSON Schema of job files.

use super::exit::Exit;
use super::print;
use crate::job;

pub(super) fn run() -> anyhow::Result<Exit> {
    print::result(&(serde_json::to_string_pretty(&job::schema())? + "\n"))?;
    Ok(Exit::Done)
}
