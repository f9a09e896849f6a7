//! Opening the ledger's file.

use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlSafeStr, SqliteConnection, SqlitePool};

use super::LedgerError;
use super::writer::Writer;

/// Marks the file as ours: `tagf` in ASCII.
const APPLICATION_ID: i64 = 0x7461_6766;

/// How long a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Rows that a reading may be ahead of who reads them: each handing over between the two threads costs more than a row.
const ROWS_AHEAD: usize = 1024;

/// An open ledger. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(super) readers: SqlitePool,
    /// Gone where the file is only looked at.
    pub(super) writer: Writer,
    read_only: bool,
    path: PathBuf,
}

/// `$XDG_STATE_HOME/tagferry/ledger.db`, or below `$HOME/.local/state`.
pub fn default_path() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("tagferry").join("ledger.db"))
}

impl Ledger {
    /// Opens a ledger, makes it (with its folder, readable by its owner alone) when absent, and brings its schema up to
    /// date.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        make_private(path)?;
        let options = options(path);
        let failed = |source: sqlx::Error| open_failed(path, &source);
        let mut connection = options.connect().await.map_err(failed)?;
        claim(&mut connection, path).await?;
        migrate(&mut connection, path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options.pragma("query_only", "ON").row_buffer_size(ROWS_AHEAD))
            .await
            .map_err(failed)?;
        Ok(Self {
            readers,
            writer: Writer::spawn(connection, path.to_owned()),
            read_only: false,
            path: path.to_owned(),
        })
    }

    /// Opens a ledger for looking at it. One that is there and can't be written, on a read-only disk or of another user,
    /// is read as it is.
    pub async fn open_to_read(path: &Path) -> Result<Self, LedgerError> {
        match Self::open(path).await {
            Err(refused @ LedgerError::Open { .. }) if path.is_file() => {
                Self::open_read_only(path).await.map_err(|error| match error {
                    foreign @ LedgerError::Foreign { .. } => foreign,
                    _ => refused,
                })
            }
            opened => opened,
        }
    }

    /// Opens without writing anything, beside the file neither.
    async fn open_read_only(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source: sqlx::Error| open_failed(path, &source);
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        // Without a log nobody is writing, and SQLite need not be able to make its own files beside it.
        let quiet = fs::metadata(log).map_or(0, |log| log.len()) == 0;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .immutable(quiet)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        let readers = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await
            .map_err(failed)?;
        let id: i64 = sqlx::query_scalar("PRAGMA application_id")
            .fetch_one(&readers)
            .await
            .map_err(failed)?;
        if id != APPLICATION_ID {
            return Err(LedgerError::Foreign {
                path: path.to_owned(),
                why: "another program made this database".to_owned(),
            });
        }
        Ok(Self {
            readers,
            writer: Writer::none(),
            read_only: true,
            path: path.to_owned(),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Commits what is queued, folds the write-ahead log into the file and closes it.
    pub async fn close(self) -> Result<(), LedgerError> {
        self.readers.close().await;
        if self.read_only {
            return Ok(());
        }
        self.writer.close().await
    }
}

/// Makes the folder and the file readable by their owner alone, whatever the umask; SQLite's own files follow the
/// file's mode.
fn make_private(path: &Path) -> Result<(), LedgerError> {
    let failed = |why: std::io::Error| LedgerError::Open {
        path: path.to_owned(),
        why: why.to_string(),
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    Ok(())
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(false) // Rows go in by the hundred thousand, always below a run that this process made.
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging()
}

fn open_failed(path: &Path, source: &sqlx::Error) -> LedgerError {
    let text = source.to_string();
    if text.contains("file is not a database") {
        return LedgerError::Foreign {
            path: path.to_owned(),
            why: "it is not a SQLite database".to_owned(),
        };
    }
    LedgerError::Open {
        path: path.to_owned(),
        why: text,
    }
}

/// Refuses a database that another program made, and marks a new one as ours.
async fn claim(connection: &mut SqliteConnection, path: &Path) -> Result<(), LedgerError> {
    let failed = |source: sqlx::Error| open_failed(path, &source);
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if id != 0 || tables != 0 {
        let why = "another program made this database".to_owned();
        return Err(LedgerError::Foreign {
            path: path.to_owned(),
            why,
        });
    }
    sqlx::query("PRAGMA application_id = 1952540518")
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), LedgerError> {
    let migration = |version, description: &'static str, sql: &'static str| {
        Migration::new(
            version,
            Cow::Borrowed(description),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    let migrator = Migrator::with_migrations(vec![
        migration(1, "ledger", include_str!("../../migrations/0001_ledger.sql")),
        migration(2, "undo", include_str!("../../migrations/0002_undo.sql")),
        migration(3, "live", include_str!("../../migrations/0003_live.sql")),
        migration(4, "losses", include_str!("../../migrations/0004_losses.sql")),
        migration(5, "review", include_str!("../../migrations/0005_review.sql")),
        migration(6, "dwell", include_str!("../../migrations/0006_dwell.sql")),
    ]);
    migrator.run_direct(None, connection, false).await.map_err(|error| {
        let why = match error {
            MigrateError::VersionMissing(version) => {
                format!("a newer tagferry made it (schema {version}); use that one, or another file with --ledger")
            }
            MigrateError::VersionMismatch(version) => format!("its schema {version} is not the one that landed"),
            other => other.to_string(),
        };
        LedgerError::Open { path: path.to_owned(), why }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_ledger_is_private_is_ours_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/ledger.db");
        for _ in 0..2 {
            let ledger = Ledger::open(&path).await.unwrap();
            ledger.close().await.unwrap();
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert!(
            !folder.path().join("deep/er/ledger.db-wal").exists(),
            "folded in when closed"
        );
    }

    #[tokio::test]
    async fn a_ledger_that_is_only_looked_at_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        Ledger::open(&path).await.unwrap().close().await.unwrap();
        let before = fs::read(&path).unwrap();
        let ledger = Ledger::open_read_only(&path).await.unwrap();
        assert_eq!(ledger.runs(None).await.unwrap(), []);
        assert!(ledger.learn("u", "t", "gate", "{}").await.is_err());
        let beside = fs::read_dir(folder.path()).unwrap().count();
        ledger.close().await.unwrap();
        assert_eq!((beside, fs::read(&path).unwrap()), (1, before));
    }

    #[tokio::test]
    async fn what_is_not_a_ledger_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.txt");
        fs::write(
            &text,
            "not a database, but long enough to be looked at as one".repeat(100),
        )
        .unwrap();
        let error = Ledger::open(&text).await.unwrap_err().to_string();
        assert!(error.contains("notes.txt: not a tagferry ledger"), "{error}");

        let foreign = folder.path().join("other.db");
        let mut connection = SqliteConnectOptions::new()
            .filename(&foreign)
            .create_if_missing(true)
            .connect()
            .await
            .unwrap();
        sqlx::query("CREATE TABLE t (a)")
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        let error = Ledger::open(&foreign).await.unwrap_err().to_string();
        assert!(error.contains("another program"), "{error}");

        let error = Ledger::open(folder.path()).await.unwrap_err().to_string();
        assert!(error.contains("can't open the ledger"), "{error}");
    }

    #[tokio::test]
    async fn the_bundled_sqlite_has_the_fix_of_the_wal_reset_bug() {
        let mut connection = SqliteConnectOptions::new()
            .in_memory(true)
            .connect()
            .await
            .unwrap();
        let version: String = sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(parts >= vec![3, 51, 3], "{version}");
    }
}
