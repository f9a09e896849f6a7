//! What vendors and transport both know: requests, answers, verdicts, and the journal that every attempt is written to.
//!
//! Vendors build [`Request`]s and judge [`Response`]s; transport sends them. Neither knows the other, and this room
//! imports none.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reads what is live.
    Observe,
    /// Changes something.
    Write,
    /// Asks the vendor whether a change would be legal.
    Validate,
    /// Finds out how to authenticate, or fetches a token. It carries no operation.
    Authenticate,
}

impl Purpose {
    /// The word that the ledger keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Write => "write",
            Self::Validate => "validate",
            Self::Authenticate => "authenticate",
        }
    }
}

/// One vendor request, before base URL and credentials.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it is for.
    pub purpose: Purpose,
    /// Whether sending it twice has the same effect as once, so that it may be repeated when no answer came.
    pub idempotent: bool,
    /// The method.
    pub method: Method,
    /// Path and query, percent-encoded, beginning with `/`; the base URL's own path goes before it.
    pub target: String,
    /// Headers, without credentials.
    pub headers: HeaderMap,
    /// The body; empty when there is none.
    pub body: Bytes,
}

/// A vendor's whole answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decoded from any transfer or content encoding.
    pub body: Bytes,
}

/// Why a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryKind {
    /// The vendor throttles: the whole connection pauses, and neither attempts nor budget are spent.
    Throttled,
    /// A passing fault of this call alone.
    Transient,
}

/// What a vendor makes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is what was asked for; `decode` or `observed` reads it.
    Accept,
    /// Send it again.
    Retry {
        /// Why.
        kind: RetryKind,
        /// How long the vendor says to wait.
        after: Option<Duration>,
    },
    /// The call was refused as a whole because of some part of it: halve it.
    Split {
        /// The vendor's words.
        reason: String,
    },
    /// It can't be said whether the call had an effect: observe.
    Unknown {
        /// Why not.
        reason: String,
    },
    /// The call was refused, and sending it again changes nothing.
    Refuse {
        /// The class of the failure, as `model::Class` spells it.
        class: &'static str,
        /// The vendor's words.
        reason: String,
    },
    /// Nothing more may be sent on this connection: credentials or scopes are refused.
    Stop {
        /// The vendor's words and what to mend.
        reason: String,
    },
}

/// Tells what an answer means. Implemented by every vendor.
pub trait Judge {
    /// Judges one answer to one request.
    fn judge(&self, request: &Request, response: &Response) -> Verdict;

    /// Headers, in lower case, in which the vendor names an exchange for its support: the first that an answer has goes
    /// into the journal. They come before the names that are common everywhere, such as `x-request-id`.
    fn correlation(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// The request never left: refused connection, unknown host, failed TLS handshake. Safe to send again.
    NotSent(String),
    /// No answer in time; the request may have had its effect.
    TimedOut(String),
    /// The connection broke, or the answer was cut off; the request may have had its effect.
    Broken(String),
    /// Sending again can't help: a certificate that is not trusted, a URL that can't be used.
    Fatal(String),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) | Self::TimedOut(why) | Self::Broken(why) | Self::Fatal(why) => {
                f.write_str(why)
            }
        }
    }
}

/// Sends one attempt. Two kinds exist: HTTP, and the embedded simulator.
pub trait Exec: Send + Sync + fmt::Debug {
    /// Sends a request that carries its credentials already.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>>;

    /// The same for a request whose target begins at the root of the origin rather than behind the base URL's own path.
    fn send_to_root(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        self.send(request)
    }

    /// Path and query of a target as they stand on the request line, behind whatever goes before them.
    fn uri(&self, target: &str) -> String {
        target.to_owned()
    }
}

/// Names an attempt in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub u64);

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// One word: `accepted`, `challenged`, `throttled`, `transient`, `split`, `unknown`, `refused`, `stopped`,
    /// `not_sent`, `timeout` or `broken`. `challenged` is an answer that only asked for (other) credentials: the request
    /// had no effect, and is sent again with them.
    pub class: &'static str,
    /// The HTTP status, when an answer came.
    pub status: Option<u16>,
    /// The vendor's identifier for the exchange, when it gave one.
    pub correlation: Option<String>,
}

/// The journal can't be written: nothing more may be sent.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the ledger can't be written: {0}")]
pub struct JournalError(pub String);

/// Where every attempt is written before it leaves. Transport calls it; the engine implements it on the ledger, once for
/// each call, so that the attempt is kept together with the operations that it carries.
pub trait Journal: Send + Sync {
    /// Returns once the attempt is committed. `number` counts the attempts of this call from 1; those that are sent again
    /// after a challenge have the same one, and those that only authenticate ([`Purpose::Authenticate`]) have 0.
    fn intend<'a>(
        &'a self,
        request: &'a Request,
        number: u32,
    ) -> BoxFuture<'a, Result<AttemptId, JournalError>>;

    /// Queues what became of the attempt; it is committed with whatever is written next.
    fn end(&self, attempt: AttemptId, end: AttemptEnd);
}

/// How a vendor wants to be told who is calling. The secrets themselves are transport's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthScheme {
    /// A header whose value is a fixed word before the token, such as `Authorization: Api-Token …`.
    Token {
        /// The header's name, in lower case.
        header: &'static str,
        /// What stands before the token, with its space.
        prefix: &'static str,
    },
    /// A token after the word `Bearer`: <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>.
    Bearer,
    /// User and password in base64: <https://www.rfc-editor.org/rfc/rfc7617>.
    Basic,
    /// A digest of user, password and the server's challenge: <https://www.rfc-editor.org/rfc/rfc7616>.
    Digest,
    /// A token after the word `Bearer` that is fetched with the client's secret, reused, and renewed:
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-4.4>.
    OAuth2 {
        /// The path of the token endpoint, from the root of the base URL's origin, such as `/api/oauth/token`.
        endpoint: &'static str,
    },
    /// Nothing is sent.
    None,
}
