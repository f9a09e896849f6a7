//! The one task that writes.
//!
//! It commits whatever has queued as soon as it is idle: no timer, one transaction for many. After a failed write
//! nothing more is written: everybody who asks is told, so that nothing more is sent either.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::LedgerError;
use super::applying::{ATTEMPTED, SETTLED, SettledBits};

/// The most writes that go into one transaction.
const MOST_A_COMMIT: usize = 1024;

/// Where a line stands: run, entity, part.
pub(super) type LineKey = (i64, u32, u32);

/// One thing to write.
#[derive(Debug)]
pub(super) enum Write {
    /// A statement of two parameters: the run, and rows as a JSON array of arrays. Rows of the same statement and run
    /// that are queued together are written together.
    Rows {
        sql: &'static str,
        run: i64,
        /// The rows without the outer brackets.
        rows: String,
    },
    /// Bits of a line that are about to be sent.
    Attempted(LineKey, u64),
    /// Bits of a line that are settled.
    Settled(LineKey, SettledBits),
}

impl Write {
    /// Rows for a statement; `None` when there are none.
    pub(super) fn rows<T: serde::Serialize>(sql: &'static str, run: i64, rows: &[T]) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        let text = serde_json::to_string(rows).expect("rows of numbers and texts are JSON");
        Some(Self::Rows {
            sql,
            run,
            rows: text[1..text.len() - 1].to_owned(),
        })
    }
}

type Ack = oneshot::Sender<Result<(), String>>;

#[derive(Debug)]
enum Message {
    Write {
        writes: Vec<Write>,
        ack: Option<Ack>,
    },
    InsertOne {
        sql: &'static str,
        row: String,
        id: oneshot::Sender<Result<i64, String>>,
    },
    Close(oneshot::Sender<Result<(), LedgerError>>),
}

/// The sending end. Unbounded: writers of plans wait for each acknowledgement, and at most as many calls as may be in
/// flight have something queued.
#[derive(Debug, Clone)]
pub(super) struct Writer(mpsc::UnboundedSender<Message>);

impl Writer {
    /// Begins writing; `path` is named when that fails.
    pub(super) fn spawn(connection: SqliteConnection, path: PathBuf) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(write_all(connection, path, receiver));
        Self(sender)
    }

    /// The end of a writer that is not there: nothing can be written.
    pub(super) fn none() -> Self {
        Self(mpsc::unbounded_channel().0)
    }

    /// Returns once everything is committed.
    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<(), LedgerError> {
        let (ack, acknowledged) = oneshot::channel();
        self.send(Message::Write {
            writes,
            ack: Some(ack),
        })?;
        let gone = |_| LedgerError::Broken("its writer has ended".to_owned());
        acknowledged.await.map_err(gone)?.map_err(LedgerError::Broken)
    }

    /// Commits with whatever is written next. A failure shows at the next [`Writer::commit`].
    pub(super) fn queue(&self, writes: Vec<Write>) {
        // A writer that has ended tells so at the next commit.
        let _ = self.send(Message::Write { writes, ack: None });
    }

    /// Inserts one row, given as a JSON array in the only parameter, and gives back its number.
    pub(super) async fn insert_one<T: serde::Serialize>(
        &self,
        sql: &'static str,
        row: &T,
    ) -> Result<i64, LedgerError> {
        let row = serde_json::to_string(row).expect("a row of numbers and texts is JSON");
        let (id, inserted) = oneshot::channel();
        self.send(Message::InsertOne { sql, row, id })?;
        let gone = |_| LedgerError::Broken("its writer has ended".to_owned());
        inserted.await.map_err(gone)?.map_err(LedgerError::Broken)
    }

    pub(super) async fn close(self) -> Result<(), LedgerError> {
        let (done, closed) = oneshot::channel();
        self.send(Message::Close(done))?;
        closed
            .await
            .unwrap_or_else(|_| Err(LedgerError::Broken("its writer has ended".to_owned())))
    }

    fn send(&self, message: Message) -> Result<(), LedgerError> {
        self.0
            .send(message)
            .map_err(|_| LedgerError::Broken("its writer has ended".to_owned()))
    }
}

async fn write_all(
    mut connection: SqliteConnection,
    path: PathBuf,
    mut queue: mpsc::UnboundedReceiver<Message>,
) {
    let failed = |error: sqlx::Error| format!("{}: {error}", path.display());
    let mut broken: Option<String> = None;
    let mut waiting: Option<Message> = None;
    loop {
        let first = match waiting.take() {
            Some(message) => Some(message),
            None => queue.recv().await,
        };
        match first {
            None => return,
            Some(Message::Close(done)) => {
                // Whoever no longer waits has been interrupted; so has the receiver of any answer below.
                let _ = done.send(end(connection, broken).await);
                return;
            }
            Some(Message::InsertOne { sql, row, id }) => {
                let inserted = insert_one(&mut connection, sql, row, &mut broken, failed).await;
                let _ = id.send(inserted);
            }
            Some(Message::Write { writes, ack }) => {
                let mut batch = Batch::default();
                batch.take(writes, ack);
                // Whoever is ready to write says so before this goes on: fewer and larger transactions.
                tokio::task::yield_now().await;
                while batch.writes < MOST_A_COMMIT && waiting.is_none() {
                    match queue.try_recv() {
                        Ok(Message::Write { writes, ack }) => batch.take(writes, ack),
                        Ok(other) => waiting = Some(other),
                        Err(_) => break,
                    }
                }
                if broken.is_none() {
                    broken = batch.commit(&mut connection).await.err().map(failed);
                }
                for ack in batch.acks {
                    let _ = ack.send(broken.clone().map_or(Ok(()), Err));
                }
            }
        }
    }
}

async fn insert_one(
    connection: &mut SqliteConnection,
    sql: &'static str,
    row: String,
    broken: &mut Option<String>,
    failed: impl FnOnce(sqlx::Error) -> String,
) -> Result<i64, String> {
    if let Some(why) = broken {
        return Err(why.clone());
    }
    match sqlx::query(sql).bind(row).execute(connection).await {
        Ok(inserted) => Ok(inserted.last_insert_rowid()),
        Err(error) => Err(broken.insert(failed(error)).clone()),
    }
}

async fn end(mut connection: SqliteConnection, broken: Option<String>) -> Result<(), LedgerError> {
    if broken.is_none() {
        let doing = "closing it";
        sqlx::query("PRAGMA optimize")
            .execute(&mut connection)
            .await
            .map_err(LedgerError::sql(doing))?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut connection)
            .await
            .map_err(LedgerError::sql(doing))?;
    }
    let closed = connection.close().await.map_err(LedgerError::sql("closing it"));
    broken.map_or(closed, |why| Err(LedgerError::Broken(why)))
}

/// What goes into one transaction.
#[derive(Debug, Default)]
struct Batch {
    writes: usize,
    statements: Vec<(&'static str, i64, String)>,
    attempted: BTreeMap<LineKey, u64>,
    settled: BTreeMap<LineKey, SettledBits>,
    acks: Vec<Ack>,
}

impl Batch {
    fn take(&mut self, writes: Vec<Write>, ack: Option<Ack>) {
        self.acks.extend(ack);
        self.writes += 1;
        for write in writes {
            match write {
                Write::Rows { sql, run, rows } => self.add_rows(sql, run, &rows),
                Write::Attempted(line, bits) => *self.attempted.entry(line).or_default() |= bits,
                Write::Settled(line, bits) => self.settled.entry(line).or_default().merge(bits),
            }
        }
    }

    fn add_rows(&mut self, sql: &'static str, run: i64, rows: &str) {
        let same = self
            .statements
            .iter_mut()
            .find(|(known, of, _)| *known == sql && *of == run);
        match same {
            Some((_, _, text)) => {
                text.push(',');
                text.push_str(rows);
            }
            None => self.statements.push((sql, run, rows.to_owned())),
        }
    }

    /// Commits everything as one text of several statements: each handing over to SQLite's thread waits for whatever else
    /// this one has to do. One that fails leaves its transaction open, which ends with the connection, since nothing is
    /// written after that.
    async fn commit(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut script = Script::default();
        for (sql, run, rows) in self.statements.drain(..) {
            let rows = format!("[{rows}]");
            script.add(sql, &[Parameter::Run(run), Parameter::Rows(rows.into())]);
        }
        let attempted: Vec<_> = std::mem::take(&mut self.attempted)
            .into_iter()
            .map(|((r, e, p), bits)| (r, e, p, bits))
            .collect();
        let settled: Vec<_> = std::mem::take(&mut self.settled)
            .into_iter()
            .map(|((r, e, p), bits)| (r, e, p, bits.closed, bits.done, bits.unchanged))
            .collect();
        script.add_bits(ATTEMPTED, &attempted);
        script.add_bits(SETTLED, &settled);
        script.run(connection).await
    }
}

/// Statements that are run as one transaction.
#[derive(Debug)]
struct Script {
    text: String,
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone)]
enum Parameter {
    Run(i64),
    Rows(Arc<str>),
}

impl Default for Script {
    fn default() -> Self {
        Self {
            text: "BEGIN IMMEDIATE;".to_owned(),
            parameters: Vec::new(),
        }
    }
}

impl Script {
    /// Adds a statement of the parameters `?1` and, where there is another, `?2`. In a text of several statements they go
    /// by their order alone.
    fn add(&mut self, sql: &'static str, parameters: &[Parameter]) {
        let mut parts = sql.split('?');
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (number, rest) = part.split_at(1);
            let number: usize = number.parse().expect("parameters are numbered from 1 to 9");
            self.parameters.push(parameters[number - 1].clone());
            self.text.push('?');
            self.text.push_str(rest);
        }
        self.text.push(';');
    }

    fn add_bits<T: serde::Serialize>(&mut self, sql: &'static str, rows: &[T]) {
        if !rows.is_empty() {
            let rows = serde_json::to_string(rows).expect("rows of numbers are JSON");
            self.add(sql, &[Parameter::Rows(rows.into())]);
        }
    }

    async fn run(mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.text.push_str("COMMIT");
        // The text is put together from constants of this room alone; what it is about goes in as parameters.
        let mut query = sqlx::query(AssertSqlSafe(self.text));
        for parameter in self.parameters {
            query = match parameter {
                Parameter::Run(run) => query.bind(run),
                Parameter::Rows(rows) => query.bind(rows),
            };
        }
        query.execute(connection).await.map(drop)
    }
}
