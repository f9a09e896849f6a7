//! Secrets: where a job says they are, and how they are read. They are never in the job file itself.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use tokio::process::Command;

/// The longest secret; more is some other file.
const LONGEST: u64 = 64 * 1024;

/// How long a command may take to print the secret.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);

/// A secret. It neither prints nor serialises, and its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// In an environment variable of this name.
    Env(String),
    /// In a file that only its owner may read.
    File(PathBuf),
    /// On the standard output of a command: the program and its arguments. No shell is involved.
    Command(Vec<String>),
}

/// Why a secret can't be had. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or is not text.
    #[error("environment variable `{0}` is not set to text; export it before the run")]
    Env(String),
    /// The file can't be read.
    #[error("secret file `{path}` can't be read; check the path and who owns it")]
    File {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner may read the file.
    #[error("secret file `{0}` can be read by others; run `chmod 600` on it")]
    Exposed(PathBuf),
    /// The command can't be run.
    #[error("secret command `{program}` can't be run; check the path of the program")]
    Command {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The command failed.
    #[error("secret command `{program}` {how}; run it by hand to see why")]
    CommandFailed {
        /// The program.
        program: String,
        /// How it ended.
        how: String,
    },
    /// The secret is empty.
    #[error("the secret from {0} is empty")]
    Empty(SecretSource),
    /// The secret holds a character that can't go into a header.
    #[error("the secret from {0} holds a space, a line break or another character that is not visible ASCII")]
    Unsendable(SecretSource),
    /// The secret holds a control character.
    #[error("the secret from {0} holds a line break or another control character, or is not UTF-8")]
    Unprintable(SecretSource),
    /// The secret is longer than 64 KiB.
    #[error("the secret from {0} is longer than 64 KiB, so it is some other file")]
    TooLong(SecretSource),
}

impl Secret {
    /// Reads a token from where it is: visible ASCII characters. One line break at its end is dropped.
    pub async fn load(source: &SecretSource) -> Result<Self, SecretError> {
        Self::parse(read(source).await?, source)
    }

    /// Reads a password or a name from where it is: any text on one line. One line break at its end is dropped.
    pub(super) async fn load_text(source: &SecretSource) -> Result<Self, SecretError> {
        Self::parse_text(read(source).await?, source)
    }

    /// A text that stands in the job file, and so is no secret, but goes the same ways as one.
    pub(super) fn of_name(name: &str) -> Self {
        Self(SecretString::from(name))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A secret from text that is already at hand.
    #[cfg(test)]
    pub(crate) fn from_text(text: String) -> Result<Self, SecretError> {
        Self::parse(text.into_bytes(), &SecretSource::Env("TEST".to_owned()))
    }

    fn parse(bytes: Vec<u8>, source: &SecretSource) -> Result<Self, SecretError> {
        let secret = Self::parse_text(bytes, source).map_err(|error| match error {
            SecretError::Unprintable(source) => SecretError::Unsendable(source),
            other => other,
        })?;
        if secret.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(secret)
        } else {
            Err(SecretError::Unsendable(source.clone()))
        }
    }

    fn parse_text(bytes: Vec<u8>, source: &SecretSource) -> Result<Self, SecretError> {
        if bytes.len() as u64 > LONGEST {
            return Err(SecretError::TooLong(source.clone()));
        }
        let text = String::from_utf8(bytes).map_err(|_| SecretError::Unprintable(source.clone()))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(SecretError::Empty(source.clone()));
        }
        if line.chars().any(char::is_control) {
            return Err(SecretError::Unprintable(source.clone()));
        }
        Ok(Self(SecretString::from(line)))
    }
}

impl SecretSource {
    /// The same source, with the path of a file taken from a folder.
    #[must_use]
    pub(super) fn within(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            other => other,
        }
    }
}

async fn read(source: &SecretSource) -> Result<Vec<u8>, SecretError> {
    match source {
        SecretSource::Env(name) => std::env::var(name)
            .map(String::into_bytes)
            .map_err(|_| SecretError::Env(name.clone())),
        SecretSource::File(path) => read_file(path),
        SecretSource::Command(words) => run(words).await,
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    let failed = |source| SecretError::File {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Asked of the open file, so that it can't be exchanged in between.
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(SecretError::Exposed(path.to_owned()));
        }
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

async fn run(words: &[String]) -> Result<Vec<u8>, SecretError> {
    let (program, arguments) = words
        .split_first()
        .map_or(("", words), |(program, rest)| (program.as_str(), rest));
    let ended = |how: String| SecretError::CommandFailed {
        program: program.to_owned(),
        how,
    };
    // What the command says on its standard error is for the user, so it goes where ours goes.
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_TIMEOUT, output)
        .await
        .map_err(|_| ended(format!("did not end within {} s", COMMAND_TIMEOUT.as_secs())))?
        .map_err(|source| SecretError::Command {
            program: program.to_owned(),
            source,
        })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(ended(format!("ended with {}", output.status)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([REDACTED])")
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
            Self::Command(words) => write!(f, "command `{}`", words.first().map_or("", String::as_str)),
        }
    }
}

const FORMS: &str =
    "write `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`";

/// By hand, because serde's own message for a token that stands in the job file would show the token.
impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    env: Option<String>,
    file: Option<PathBuf>,
    command: Option<Vec<String>>,
}

struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("where the secret is: `env`, `file` or `command`")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<SecretSource, E> {
        Err(E::custom(format_args!(
            "a secret does not stand in a job file; {FORMS}, and revoke the one that stood here"
        )))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretSource, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        match (table.env, table.file, table.command) {
            (Some(name), None, None) if is_name(&name) => Ok(SecretSource::Env(name)),
            (Some(_), None, None) => Err(A::Error::custom(
                "`env` takes the name of an environment variable: letters, digits and `_`",
            )),
            (None, Some(path), None) => Ok(SecretSource::File(path)),
            (None, None, Some(words)) if !words.is_empty() => Ok(SecretSource::Command(words)),
            _ => Err(A::Error::custom(format_args!(
                "a secret has exactly one source; {FORMS}"
            ))),
        }
    }
}

/// Whether this is the name of an environment variable. A token that was put here by mistake holds dots, and is then
/// not repeated in a message.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Job {
        token: SecretSource,
    }

    fn source(text: &str) -> Result<SecretSource, String> {
        toml::from_str::<Job>(text)
            .map(|job| job.token)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_source_is_exactly_one_of_three_forms() {
        let words = vec!["pass".to_owned(), "show".to_owned()];
        for (text, want) in [
            (
                r#"token = { env = "DT_TOKEN" }"#,
                SecretSource::Env("DT_TOKEN".to_owned()),
            ),
            (
                r#"token = { file = "/run/token" }"#,
                SecretSource::File("/run/token".into()),
            ),
            (
                r#"token = { command = ["pass", "show"] }"#,
                SecretSource::Command(words),
            ),
        ] {
            assert_eq!(source(text), Ok(want));
        }
        for text in [
            "token = {}",
            "token = { command = [] }",
            r#"token = { env = "A", file = "b" }"#,
            r#"token = { value = "A" }"#,
            "token = 5",
        ] {
            source(text).expect_err(text);
        }
    }

    #[test]
    fn the_schema_knows_the_three_forms_and_no_plain_text() {
        let schema = schemars::schema_for!(SecretSource);
        let forms = schema
            .get("oneOf")
            .and_then(serde_json::Value::as_array)
            .expect("forms");
        let keys: Vec<_> = forms
            .iter()
            .filter_map(|form| form["required"][0].as_str())
            .collect();
        assert_eq!(keys, ["env", "file", "command"]);
        assert_eq!(forms.len(), 3);
    }

    #[test]
    fn a_token_in_the_job_file_is_refused_and_not_repeated() {
        for text in [
            r#"token = "dt0c01.CANARY""#,
            r#"token = { env = "dt0c01.CANARY" }"#,
        ] {
            let error = source(text).expect_err(text);
            assert!(!error.contains("CANARY"), "{error}");
            assert!(error.contains("env"), "{error}");
        }
    }

    #[test]
    fn one_line_break_is_dropped_and_nothing_else() {
        for (bytes, good) in [
            (&b"token"[..], true),
            (b"token\n", true),
            (b"token\r\n", true),
            (b"token\n\n", false),
            (b" token", false),
            (b"to ken", false),
            (b"tok\xc3\xa9n", false),
            (b"tok\xffn", false),
            (b"to\x00ken", false),
            (b"", false),
            (b"\n", false),
        ] {
            let parsed = Secret::parse(bytes.to_vec(), &SecretSource::Env("T".to_owned()));
            assert_eq!(parsed.is_ok(), good, "{bytes:?}");
            if let Ok(secret) = parsed {
                assert_eq!(secret.expose(), "token");
            }
        }
    }

    #[test]
    fn a_password_may_hold_any_character_of_a_line() {
        for (bytes, want) in [
            (&b"pass word\n"[..], Some("pass word")),
            (" p\u{e4}ss:\"\\ ".as_bytes(), Some(" p\u{e4}ss:\"\\ ")),
            (b"pass\nword", None),
            (b"pass\tword", None),
            (b"pass\xffword", None),
            (b"\n", None),
        ] {
            let parsed = Secret::parse_text(bytes.to_vec(), &SecretSource::Env("P".to_owned()));
            let got = parsed.as_ref().ok().map(Secret::expose);
            assert_eq!(got, want, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_missing_variable_is_named() {
        let source = SecretSource::Env("TAGFERRY_TEST_THAT_NOBODY_SETS".to_owned());
        let error = Secret::load(&source).await.expect_err("it is not set");
        assert!(error.to_string().contains("TAGFERRY_TEST_THAT_NOBODY_SETS"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "canary\n").expect("a file");
        let source = SecretSource::File(path.clone());
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
            match Secret::load(&source).await {
                Ok(_) => assert!(good, "{mode:o}"),
                Err(error) => {
                    assert!(!good, "{mode:o}");
                    assert!(error.to_string().contains("chmod 600"), "{error}");
                    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
                }
            }
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_prints_the_secret_and_its_failure_shows_none() {
        let command = |words: &[&str]| SecretSource::Command(words.iter().map(ToString::to_string).collect());
        let secret = Secret::load(&command(&["printf", "canary\n"]))
            .await
            .expect("it prints");
        assert_eq!(secret.expose(), "canary");
        for words in [
            &["sh", "-c", "echo canary; exit 3"][..],
            &["no-such-program-here"],
            &["true"],
        ] {
            let error = Secret::load(&command(words)).await.expect_err("no secret");
            assert!(!format!("{error} {error:?}").contains("Secret("), "{error:?}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
