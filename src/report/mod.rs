//! stub
use crate::ledger::*;
use std::io::{self, Write};
pub enum Format {
    Text,
    Json,
    Csv,
}
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    L(#[from] LedgerError),
}
impl ReportError {
    pub fn is_broken_pipe(&self) -> bool {
        false
    }
}
pub async fn rows(l: &Ledger, run: i64, _f: Format, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut v = vec![];
    l.each_row(run, |r| v.push(r)).await?;
    for r in v {
        writeln!(out, "{r:?}")?;
    }
    Ok(())
}
pub async fn rows_not_done(l: &Ledger, run: i64, n: usize, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut v = vec![];
    l.each_row(run, |r| {
        if r.outcome < crate::model::Outcome::Done && v.len() < n {
            v.push(r)
        }
    })
    .await?;
    for r in v {
        writeln!(out, "{}: {} {:?} {:?}", r.origin, r.outcome, r.class, r.message)?;
    }
    Ok(())
}
pub fn outcomes(s: &Summary) -> String {
    format!("{s:?}\n")
}
pub fn status(s: &[(RunRow, Summary)]) -> String {
    format!("{s:?}\n")
}
pub fn status_json(s: &[(RunRow, Summary)]) -> String {
    format!("{s:?}\n")
}
pub struct PlanView(serde_json::Value);
impl PlanView {
    pub fn new(_: i64, v: &serde_json::Value, _: &[String]) -> Result<Self, serde_json::Error> {
        Ok(Self(v.clone()))
    }
}
pub fn plan(v: &PlanView) -> String {
    v.0.to_string()
}
pub fn plan_json(v: &PlanView) -> String {
    v.0.to_string()
}
