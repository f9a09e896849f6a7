//! HTTP Digest against a server that others wrote: Apache's `mod_auth_digest` in front of a backend that keeps what
//! reaches it. Left out, with a word, where Apache is not installed.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use http::{HeaderMap, Method};
use tagferry::event::Events;
use tagferry::transport::{
    Auth, Connection, CredentialSource, HaltKind, HttpExec, NameSource, Options, SecretSource, Sent,
};
use tagferry::wire::{
    AttemptEnd, AttemptId, AuthScheme, Journal, JournalError, Judge, Purpose, Request, Response, Verdict,
};

use crate::harness::{Simulator, Workspace, until};

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

/// The user `pub` with the password `priv`, as `htdigest` writes it.
const USERS: &str = "pub:MMS Public API:10c004e29303549a967cb938bf899df8\n";

/// How long a nonce lasts at this Apache.
const NONCE_SECONDS: u64 = 2;

/// Whether Apache is here. Where a continuous integration allows it, it is installed.
fn is_installed() -> bool {
    let is_here = || Path::new(PROGRAM).exists() && Path::new(MODULES).join("mod_auth_digest.so").exists();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/apache/install.sh");
    is_here() || (Command::new(script).status().is_ok_and(|status| status.success()) && is_here())
}

/// A backend that keeps request lines and bodies.
struct Backend {
    port: u16,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Backend {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { port, seen }
    }

    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// Answers one request and closes.
fn serve(mut stream: TcpStream, seen: &Mutex<Vec<(String, String)>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    let mut length = 0;
    reader.read_line(&mut request).unwrap();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
            break;
        }
        if let Some(told) = line.to_lowercase().strip_prefix("content-length: ") {
            length = told.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    seen.lock().unwrap().push((request.trim_end().to_owned(), body));
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    // Apache may have gone meanwhile.
    let _ = stream.write_all(answer.as_bytes());
}

/// An Apache of this test alone.
struct Apache {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Apache {
    fn start(backend: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Apache's workers are another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("users"), USERS).unwrap();
        let port = free_port();
        let file = folder.path().join("apache.conf");
        fs::write(&file, configuration(folder.path(), port, backend)).unwrap();
        let child = Command::new(PROGRAM)
            .arg("-f")
            .arg(&file)
            .arg("-DFOREGROUND")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("Apache listens", Duration::from_secs(20), || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // It ends its workers when it is asked, not when it is killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn configuration(folder: &Path, port: u16, backend: u16) -> String {
    let modules = [
        "mpm_event",
        "authn_core",
        "authn_file",
        "authz_core",
        "authz_user",
        "auth_digest",
        "proxy",
        "proxy_http",
    ];
    let loaded = modules.map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"));
    let loaded = loaded.concat();
    // Only root may say who the workers are, and must.
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let user = if root {
        "User www-data\nGroup www-data\n"
    } else {
        ""
    };
    let folder = folder.display();
    format!(
        "ServerName localhost\nServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/pid\n\
         ErrorLog {folder}/error.log\nListen 127.0.0.1:{port}\n{loaded}{user}\
         <Location \"/\">\nAuthType Digest\nAuthName \"MMS Public API\"\nAuthDigestProvider file\n\
         AuthUserFile {folder}/users\nAuthDigestNonceLifetime {NONCE_SECONDS}\nRequire valid-user\n</Location>\n\
         ProxyPass \"/\" \"http://127.0.0.1:{backend}/\"\n"
    )
}

/// Accepts what the backend accepts, and stops at a 401.
struct ByStatus;

impl Judge for ByStatus {
    fn judge(&self, _: &Request, response: &Response) -> Verdict {
        let reason = format!("status {}", response.status);
        match response.status {
            200 => Verdict::Accept,
            401 => Verdict::Stop { reason },
            _ => Verdict::Refuse {
                class: "refused",
                reason,
            },
        }
    }
}

/// Keeps purposes and ends.
#[derive(Default)]
struct Kept(Mutex<Vec<(Purpose, &'static str)>>);

impl Journal for Kept {
    fn intend<'a>(&'a self, request: &'a Request, _: u32) -> BoxFuture<'a, Result<AttemptId, JournalError>> {
        let mut kept = self.0.lock().unwrap();
        kept.push((request.purpose, "none"));
        Box::pin(std::future::ready(Ok(AttemptId(kept.len() as u64 - 1))))
    }

    fn end(&self, attempt: AttemptId, end: AttemptEnd) {
        self.0.lock().unwrap()[usize::try_from(attempt.0).unwrap()].1 = end.class;
    }
}

impl Kept {
    fn ends(&self) -> Vec<(Purpose, &'static str)> {
        self.0.lock().unwrap().clone()
    }
}

async fn connection(apache: &Apache, password: &str) -> Connection {
    let source = CredentialSource::Password {
        user: NameSource::Text("pub".to_owned()),
        password: SecretSource::Command(vec!["printf".to_owned(), password.to_owned()]),
    };
    let credentials = source.load(Path::new("")).await.unwrap();
    let auth = Auth::new(&[AuthScheme::Digest], Some(&credentials)).unwrap();
    let base = format!("{}/api/public/v1.0", apache.url).parse().unwrap();
    let exec = HttpExec::new(&base, &Options::default()).unwrap();
    let options = Options::default();
    Connection::new("ops", Arc::new(exec), auth, &options, None, Events::default())
}

fn patch(number: usize) -> Request {
    Request {
        purpose: Purpose::Write,
        idempotent: true,
        method: Method::PATCH,
        target: format!("/groups/{number}?pretty=true&tag=%2F\"a\""),
        headers: HeaderMap::new(),
        body: format!(r#"{{"tags":["{number}"]}}"#).into(),
    }
}

#[tokio::test]
async fn apache_takes_the_digest_of_calls_at_once_and_an_old_nonce_is_exchanged_silently() {
    if !is_installed() {
        println!("left out: Apache is not installed");
        return;
    }
    let backend = Backend::start();
    let apache = Apache::start(backend.port);
    let connection = connection(&apache, "priv").await;
    let requests: Vec<Request> = (0..20).map(patch).collect();
    let journal = Kept::default();
    let sent = join_all(
        requests
            .iter()
            .map(|request| connection.send(request, &ByStatus, &journal)),
    )
    .await;
    assert!(
        sent.iter().all(|sent| matches!(sent, Sent::Accepted(_))),
        "{sent:?}"
    );
    assert_eq!(journal.ends()[0], (Purpose::Authenticate, "challenged"));
    let mut seen = backend.take();
    let mut want: Vec<_> = (0..20)
        .map(|number| {
            let line = format!("PATCH /api/public/v1.0/groups/{number}?pretty=true&tag=%2F%22a%22 HTTP/1.1");
            (line, format!(r#"{{"tags":["{number}"]}}"#))
        })
        .collect();
    seen.sort();
    want.sort();
    assert_eq!(
        seen, want,
        "every change reaches the backend once, as it was built"
    );

    let began = Instant::now();
    loop {
        let journal = Kept::default();
        let sent = connection.send(&patch(7), &ByStatus, &journal).await;
        assert!(matches!(sent, Sent::Accepted(_)), "{sent:?}");
        if journal.ends() == [(Purpose::Write, "challenged"), (Purpose::Write, "accepted")] {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "the nonce never ends: {:?}",
            journal.ends()
        );
    }
    assert!(began.elapsed() <= Duration::from_secs(2 * NONCE_SECONDS + 2));
    assert_eq!((connection.counts().retries, connection.halted()), (0, None));
}

#[tokio::test]
async fn apache_refuses_a_wrong_password_once_and_the_connection_halts() {
    if !is_installed() {
        println!("left out: Apache is not installed");
        return;
    }
    let backend = Backend::start();
    let apache = Apache::start(backend.port);
    let connection = connection(&apache, "wrong").await;
    let requests: Vec<Request> = (0..20).map(patch).collect();
    let journal = Kept::default();
    let sent = join_all(
        requests
            .iter()
            .map(|request| connection.send(request, &ByStatus, &journal)),
    )
    .await;
    assert!(
        sent.iter().all(|sent| matches!(sent, Sent::NotSent { .. })),
        "{sent:?}"
    );
    assert_eq!(
        journal.ends(),
        [(Purpose::Authenticate, "challenged"), (Purpose::Write, "stopped")]
    );
    assert_eq!(
        connection.halted().map(|halt| halt.kind),
        Some(HaltKind::Credentials)
    );
    assert_eq!(backend.take(), []);
}

#[test]
fn the_whole_program_tags_groups_behind_apache_whose_nonces_end_on_the_way() {
    if !is_installed() {
        println!("left out: Apache is not installed");
        return;
    }
    let workspace = Workspace::new();
    let groups: Vec<String> = (0..80)
        .map(|n| format!("{:024x},group {n}", 0xA000 + n))
        .collect();
    workspace.write("groups.csv", &format!("id,name\n{}\n", groups.join("\n")));
    let options = [
        "--inventory",
        "groups.csv",
        "--id",
        "id",
        "--name",
        "name",
        "--tags",
        "none",
        "--auth",
        "off",
    ];
    let options = [&options[..], &["--latency", "60ms"]].concat();
    let simulator = Simulator::serve_of(
        "mongodb-ops-manager",
        &workspace,
        "simulator.jsonl",
        &options,
        &[],
    );
    let (_, port) = simulator.address().split_once(':').unwrap();
    let apache = Apache::start(port.parse().unwrap());
    let url = &apache.url;
    let job = format!(
        "name = \"apache\"\n[source]\nfile = \"groups.csv\"\n[target]\nconnection = \"ops\"\nkind = \"group\"\n\
         entity_name = \"{{{{ name }}}}\"\n[[tag]]\nkey = \"ENV\"\nvalue = \"PROD\"\n[connections.ops]\n\
         vendor = \"mongodb-ops-manager\"\nurl = \"{url}\"\njoin = \".\"\nuser = \"pub\"\n\
         password = {{ command = [\"printf\", \"priv\"] }}\npace = {{ concurrency = 2 }}\n"
    );
    workspace.write("job.toml", &job);
    let began = Instant::now();
    workspace.run(&["run", "job.toml"]).expect(0);
    assert!(
        began.elapsed() > Duration::from_secs(NONCE_SECONDS),
        "a nonce ended meanwhile"
    );
    let tagged = simulator
        .journal()
        .iter()
        .filter(|request| request.changes.len() == 1)
        .count();
    assert_eq!(tagged, 80);
    let mut ledger = workspace.ledger();
    let challenged = ledger
        .attempts()
        .iter()
        .filter(|attempt| attempt.class.as_deref() == Some("challenged"))
        .count();
    assert!(challenged >= 2, "{challenged}");
}
