//! Faults turned into replies.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::api::Api;
use super::fault::{Fault, FaultKind};
use super::reply::Reply;

/// What a fault answers in place of anything being applied.
pub(super) fn instead<A: Api>(fault: &Fault) -> Option<Reply> {
    match fault.kind {
        FaultKind::Reset => Some(Reply::Reset),
        FaultKind::Timeout => Some(Reply::Never),
        FaultKind::Error => Some(Reply::Answer(server_error::<A>(fault))),
        FaultKind::Garbage => {
            let page = b"<!DOCTYPE html><html><body><div id=\"root\"></div></body></html>";
            let mut answer = Response::new(Bytes::from_static(page));
            answer.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            );
            Some(Reply::Answer(answer))
        }
        FaultKind::StaleCursor => {
            let message = "The next page can't be found, pages may have been removed during request";
            Some(Reply::Answer(A::failure(StatusCode::BAD_REQUEST, message)))
        }
        FaultKind::LostAck
        | FaultKind::Hang
        | FaultKind::LostReply
        | FaultKind::Truncated
        | FaultKind::Slow => None,
    }
}

/// What a fault makes of an answer to a request that was applied.
pub(super) fn distort<A: Api>(answer: Response<Bytes>, fault: Option<&Fault>) -> Reply {
    match fault.map(|fault| (fault.kind, fault)) {
        Some((FaultKind::LostAck, _)) => Reply::Reset,
        Some((FaultKind::Hang, _)) => Reply::Never,
        Some((FaultKind::LostReply, fault)) => Reply::Answer(server_error::<A>(fault)),
        Some((FaultKind::Truncated, _)) if !answer.body().is_empty() => {
            let sent = answer.body().len() / 2;
            Reply::Truncated { answer, sent }
        }
        _ => Reply::Answer(answer),
    }
}

fn server_error<A: Api>(fault: &Fault) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = A::failure(status, &format!("HTTP {status}"));
    if let Some(seconds) = fault.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}
