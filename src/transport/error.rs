//! Why a connection can't be set up. What happens later is no error but a [`Sent`](super::Sent).

use std::path::PathBuf;

/// Why a connection can't be set up. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// An option has a value that can't be meant.
    #[error("{key}: {why}")]
    Option {
        /// Its key in the job file.
        key: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The base URL can't be used.
    #[error("url: {0}")]
    BaseUrl(String),
    /// The file of certificate authorities can't be read.
    #[error("ca_cert: `{path}` can't be read; give the path of a readable PEM file")]
    ReadCa {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file of certificate authorities holds none.
    #[error("ca_cert: `{path}` holds no PEM certificate")]
    NoCa {
        /// Its path.
        path: PathBuf,
    },
    /// The proxy can't be used. Its URL is not shown, for it may hold a password.
    #[error(
        "proxy: it is no usable URL; write `http://host:port`, or `environment`, which may also hold a password"
    )]
    Proxy,
    /// The HTTP client can't be built.
    #[error("the HTTP client can't be built: {0}")]
    Client(String),
    /// The credentials are missing, are of another form than the vendor takes, or can't be sent.
    #[error("credentials: {0}")]
    Auth(String),
}
