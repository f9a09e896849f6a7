//! What a client gets, or does not get.

use bytes::Bytes;
use http::Response;

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// An answer.
    Answer(Response<Bytes>),
    /// An answer whose head announces the whole body, of which only the first bytes come before the connection breaks.
    Truncated {
        /// The whole answer.
        answer: Response<Bytes>,
        /// How many bytes of its body come.
        sent: usize,
    },
    /// The connection is reset without an answer.
    Reset,
    /// No answer ever comes.
    Never,
}

impl Reply {
    /// The status, when an answer comes.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) | Self::Truncated { answer, .. } => Some(answer.status().as_u16()),
            Self::Reset | Self::Never => None,
        }
    }
}
