//! Sends attempts over HTTP. Retries, redirects and proxies of the client are off: this room does what is to be done.

use std::fs;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, redirect, retry};
use url::{Position, Url};

use super::base_url::BaseUrl;
use super::http_error::classify;
use super::{Options, TransportError};
use crate::wire::{Exec, Request, Response, SendError};

/// The largest answer that is read, decompressed. The largest page that Dynatrace documents stays far below.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// Idle connections are closed before common servers do (nginx after 75 s, many balancers after 60 s), since a request
/// that meets such a close is lost without an answer: <https://github.com/hyperium/hyper/issues/2136>.
const IDLE: Duration = Duration::from_secs(15);

/// The HTTP client of one connection.
#[derive(Debug)]
pub struct HttpExec {
    client: Client,
    base: BaseUrl,
    root: BaseUrl,
    timeout: Duration,
    largest: usize,
}

impl HttpExec {
    /// A client for a base URL. Without TLS it asks for no certificate authorities, so that plain `http` to this machine
    /// works where none are installed.
    pub fn new(base_url: &Url, options: &Options) -> Result<Self, TransportError> {
        options.check()?;
        let base = BaseUrl::new(base_url, options.allow_http)?;
        install_provider();
        let client = trusting(plain(options)?, &base, options.ca_cert.as_deref())?
            .build()
            .map_err(|error| TransportError::Client(advice(&error)))?;
        Ok(Self {
            client,
            root: base.root(),
            base,
            timeout: options.timeout.get(),
            largest: LARGEST_ANSWER,
        })
    }

    async fn exchange(&self, base: &BaseUrl, request: Request) -> Result<Response, SendError> {
        let url = base.join(&request.target).map_err(SendError::Fatal)?;
        let mut sent = reqwest::Request::new(request.method, url);
        *sent.headers_mut() = request.headers;
        *sent.body_mut() = Some(request.body.into());
        let mut answer = self
            .client
            .execute(sent)
            .await
            .map_err(|error| classify(error, self.timeout))?;
        let status = answer.status().as_u16();
        let headers = std::mem::take(answer.headers_mut());
        let body = self.body(answer).await?;
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// Reads to the end, so that the connection can be used again, but never more than the largest answer:
    /// `Content-Length` says nothing about what gzip unpacks to.
    async fn body(&self, mut answer: reqwest::Response) -> Result<Bytes, SendError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| classify(error, self.timeout))?
        {
            if body.len() + chunk.len() > self.largest {
                return Err(SendError::Broken(format!(
                    "the answer is larger than {} MB",
                    self.largest / (1024 * 1024)
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

impl Exec for HttpExec {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        self.exchange(&self.base, request).boxed()
    }

    fn send_to_root(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        self.exchange(&self.root, request).boxed()
    }

    fn uri(&self, target: &str) -> String {
        // A target that can't be joined is not sent either.
        self.base.join(target).map_or_else(
            |_| target.to_owned(),
            |url| url[Position::BeforePath..Position::AfterQuery].to_owned(),
        )
    }
}

/// The client but for what it trusts.
fn plain(options: &Options) -> Result<ClientBuilder, TransportError> {
    let builder = Client::builder()
        .user_agent(concat!("tagferry/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .http1_only()
        .timeout(options.timeout.get())
        .connect_timeout(options.connect_timeout.get())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(options.pace.most_in_flight());
    match options.proxy.as_deref() {
        None => Ok(builder.no_proxy()),
        Some(Options::FROM_ENVIRONMENT) => Ok(builder),
        Some(url) => {
            let proxy = Proxy::all(url).map_err(|_| TransportError::Proxy)?;
            Ok(builder.no_proxy().proxy(proxy))
        }
    }
}

fn trusting(
    builder: ClientBuilder,
    base: &BaseUrl,
    ca_cert: Option<&Path>,
) -> Result<ClientBuilder, TransportError> {
    let extra = ca_cert.map(certificates).transpose()?.unwrap_or_default();
    if base.is_https() {
        Ok(builder.https_only(true).tls_certs_merge(extra))
    } else {
        Ok(builder.tls_certs_only(extra))
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, TransportError> {
    let pem = fs::read(path).map_err(|source| TransportError::ReadCa {
        path: path.to_owned(),
        source,
    })?;
    let none = || TransportError::NoCa {
        path: path.to_owned(),
    };
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| none())?;
    if certificates.is_empty() {
        return Err(none());
    }
    Ok(certificates)
}

/// What to do about a client that can't be built. In practice it is a machine without certificate authorities.
fn advice(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("{cause}; install the system's `ca-certificates`, or name a PEM file in `ca_cert`")
}

/// The client leaves the cryptography open, and panics when nobody has chosen.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that the program has chosen before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::script::write;
    use crate::transport::wire_faults::{RawServer, Then};
    use crate::transport::{Auth, Credentials, Secret};
    use crate::wire::AuthScheme;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    const OK: &str = "HTTP/1.1 200 OK\r\nx-request-id: 7\r\ncontent-length: 2\r\n\r\n{}";

    fn exec(url: &Url) -> HttpExec {
        HttpExec::new(url, &Options::default()).expect("a client")
    }

    fn signed(target: &str) -> Request {
        let scheme = AuthScheme::Token {
            header: "authorization",
            prefix: "Api-Token ",
        };
        let secret = Secret::from_text("canary".to_owned()).expect("a secret");
        let auth = Auth::new(&[scheme], Some(&Credentials::Token(secret))).expect("a usable token");
        auth.sign(&write(target), &|| target.to_owned()).0
    }

    #[tokio::test]
    async fn a_request_goes_out_as_built_behind_the_path_of_the_base_over_one_connection() {
        let server = RawServer::new(OK, Then::Stay).await;
        let exec = exec(&server.url("/e/abc/"));
        for _ in 0..3 {
            let answer = exec.send(signed("/api/v2/tags?x=%2F")).await.expect("an answer");
            assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
            assert_eq!(answer.headers["x-request-id"], "7");
        }
        assert_eq!(server.connections(), 1);
        let requests = server.requests();
        let request = requests[0].to_lowercase();
        assert!(
            request.starts_with("post /e/abc/api/v2/tags?x=%2f http/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("authorization: api-token canary\r\n"),
            "{request}"
        );
        assert!(request.contains("user-agent: tagferry/"), "{request}");
        assert!(!request.contains("referer"), "{request}");
        assert!(request.ends_with("\r\n\r\n{}"), "{request}");
        assert_eq!(requests.len(), 3);
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed_and_the_token_reaches_no_second_host() {
        let second = RawServer::new(OK, Then::Stay).await;
        for status in [301, 302, 303, 307, 308] {
            let location = second.url("/api");
            let answer =
                format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            let first = RawServer::new(answer, Then::Stay).await;
            let answer = exec(&first.url(""))
                .send(signed("/api"))
                .await
                .expect("an answer");
            assert_eq!(answer.status, status);
            assert_eq!(first.requests().len(), 1);
        }
        assert_eq!(second.connections(), 0);
    }

    #[tokio::test]
    async fn a_gzip_bomb_is_stopped_at_the_largest_answer() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            encoder.write_all(&vec![0; 1024 * 1024]).expect("memory");
        }
        let bomb = encoder.finish().expect("memory");
        let mut bytes = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            bomb.len()
        )
        .into_bytes();
        bytes.extend(bomb);
        let server = RawServer::new(bytes, Then::Stay).await;
        let error = exec(&server.url(""))
            .send(write("/"))
            .await
            .expect_err("too large");
        assert_eq!(
            error,
            SendError::Broken("the answer is larger than 32 MB".to_owned())
        );
    }

    #[tokio::test]
    async fn an_answer_in_gzip_is_unpacked_and_one_of_exactly_the_largest_size_is_read() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"{\"tags\":[]}").expect("memory");
        let body = encoder.finish().expect("memory");
        let mut bytes = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend(body);
        let server = RawServer::new(bytes, Then::Stay).await;
        let mut exec = exec(&server.url(""));
        for (largest, good) in [(11, true), (10, false)] {
            exec.largest = largest;
            let answer = exec.send(write("/")).await;
            assert_eq!(answer.is_ok(), good, "{largest}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn a_proxy_is_used_when_the_job_names_one() {
        let proxy = RawServer::new(OK, Then::Stay).await;
        let options = Options {
            proxy: Some(proxy.url("").to_string()),
            allow_http: true,
            ..Options::default()
        };
        let url = "http://vendor.invalid".parse().expect("a URL");
        let exec = HttpExec::new(&url, &options).expect("a client");
        exec.send(write("/api")).await.expect("the proxy answers");
        let request = &proxy.requests()[0];
        assert!(
            request.starts_with("POST http://vendor.invalid/api HTTP/1.1"),
            "{request}"
        );
    }

    #[tokio::test]
    async fn a_target_that_would_end_up_elsewhere_is_not_sent() {
        let server = RawServer::new(OK, Then::Stay).await;
        let error = exec(&server.url("/e/abc")).send(write("/../admin")).await;
        assert!(matches!(error, Err(SendError::Fatal(_))), "{error:?}");
        assert_eq!(server.connections(), 0);
    }

    #[test]
    fn what_cannot_be_set_up_is_refused_before_anything_is_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.pem");
        fs::write(&empty, "").expect("a file");
        let with = |change: fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            options
        };
        let no_ca = Options {
            ca_cert: Some(empty),
            ..Options::default()
        };
        let local = "http://127.0.0.1:1";
        for (url, options, why) in [
            ("http://10.0.0.1", Options::default(), "allow_http"),
            (
                local,
                with(|options| options.ca_cert = Some("/no/such/file".into())),
                "can't be read",
            ),
            (local, no_ca, "no PEM certificate"),
            (
                local,
                with(|options| options.proxy = Some("http://user:canary@".to_owned())),
                "proxy",
            ),
        ] {
            let error = HttpExec::new(&url.parse().expect(url), &options)
                .expect_err(why)
                .to_string();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    /// Runs a test of this file again with other environment variables, since those of a running process must not be
    /// changed. Returns `false` in the second run, which then does the work.
    fn run_again(test: &str, variables: &[(&str, &str)]) -> bool {
        if std::env::var("TAGFERRY_TEST_AGAIN").is_ok() {
            return false;
        }
        let (_, room) = module_path!().split_once("::").expect("a path");
        let own = std::env::current_exe().expect("a running test has a path");
        let output = std::process::Command::new(own)
            .args(["--exact", &format!("{room}::{test}")])
            .env("TAGFERRY_TEST_AGAIN", "1")
            .envs(variables.iter().copied())
            .output()
            .expect("the test runs again");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && printed.contains("1 passed"),
            "{printed}"
        );
        true
    }

    #[tokio::test]
    async fn without_certificate_authorities_plain_http_works_and_https_says_what_to_do() {
        let test = "without_certificate_authorities_plain_http_works_and_https_says_what_to_do";
        let nowhere = [
            ("SSL_CERT_FILE", "/nonexistent"),
            ("SSL_CERT_DIR", "/nonexistent"),
        ];
        if run_again(test, &nowhere) {
            return;
        }
        let server = RawServer::new(OK, Then::Stay).await;
        exec(&server.url("")).send(write("/")).await.expect("an answer");
        let https = "https://127.0.0.1:1".parse().expect("a URL");
        let error = HttpExec::new(&https, &Options::default()).expect_err("nothing to trust");
        assert!(error.to_string().contains("ca-certificates"), "{error}");
    }

    #[tokio::test]
    async fn a_proxy_of_the_environment_is_used_only_when_the_job_says_so() {
        let test = "a_proxy_of_the_environment_is_used_only_when_the_job_says_so";
        // Nobody listens there.
        if run_again(test, &[("http_proxy", "http://127.0.0.1:1"), ("no_proxy", "")]) {
            return;
        }
        let server = RawServer::new(OK, Then::Stay).await;
        for (proxy, good) in [(None, true), (Some("environment".to_owned()), false)] {
            let options = Options {
                proxy,
                ..Options::default()
            };
            let exec = HttpExec::new(&server.url(""), &options).expect("a client");
            assert_eq!(exec.send(write("/")).await.is_ok(), good);
        }
    }
}
