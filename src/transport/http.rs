//! Sends attempts over HTTP. Retries, redirects and proxies of the client are off: this room does what is to be done.

use std::fs;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, redirect, retry};
use url::Url;

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
    timeout: Duration,
    largest: usize,
}

impl HttpExec {
    /// A client for a base URL. Without TLS it asks for no certificate authorities, so that plain `http` to this machine
    /// works where none are installed.
    pub fn new(base_url: &Url, options: &Options) -> Result<Self, TransportError> {
        let base = BaseUrl::new(base_url, options.allow_http)?;
        install_provider();
        let client = trusting(plain(options)?, &base, options.ca_cert.as_deref())?
            .build()
            .map_err(|error| TransportError::Client(advice(&error)))?;
        Ok(Self {
            client,
            base,
            timeout: options.timeout.get(),
            largest: LARGEST_ANSWER,
        })
    }

    async fn exchange(&self, request: &Request) -> Result<Response, SendError> {
        let url = self.base.join(&request.target).map_err(SendError::Fatal)?;
        let mut answer = self
            .client
            .request(request.method.clone(), url)
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send()
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
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, SendError>> {
        self.exchange(request).boxed()
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
        Some("environment") => Ok(builder),
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
