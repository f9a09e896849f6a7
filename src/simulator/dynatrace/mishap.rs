//! Faults turned into replies.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::super::fault::{Fault, FaultKind};
use super::super::reply::Reply;
use super::envelope::{Refused, empty};

/// What a fault answers in place of anything being applied.
pub(super) fn instead(fault: &Fault) -> Option<Reply> {
    match fault.kind {
        FaultKind::Reset => Some(Reply::Reset),
        FaultKind::Timeout => Some(Reply::Never),
        FaultKind::Error => Some(Reply::Answer(server_error(fault))),
        FaultKind::Garbage => {
            let mut answer = empty(200);
            *answer.body_mut() =
                Bytes::from_static(b"<!DOCTYPE html><html><body><div id=\"root\"></div></body></html>");
            answer.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            );
            Some(Reply::Answer(answer))
        }
        FaultKind::StaleCursor => {
            let message = "The next page can't be found, pages may have been removed during request";
            Some(Reply::Answer(Refused::plain(400, message).into_response()))
        }
        FaultKind::LostAck
        | FaultKind::Hang
        | FaultKind::LostReply
        | FaultKind::Truncated
        | FaultKind::Slow => None,
    }
}

/// What a fault makes of an answer to a request that was applied.
pub(super) fn distort(answer: Response<Bytes>, fault: Option<&Fault>) -> Reply {
    match fault.map(|fault| (fault.kind, fault)) {
        Some((FaultKind::LostAck, _)) => Reply::Reset,
        Some((FaultKind::Hang, _)) => Reply::Never,
        Some((FaultKind::LostReply, fault)) => Reply::Answer(server_error(fault)),
        Some((FaultKind::Truncated, _)) if !answer.body().is_empty() => {
            let sent = answer.body().len() / 2;
            Reply::Truncated { answer, sent }
        }
        _ => Reply::Answer(answer),
    }
}

fn server_error(fault: &Fault) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = Refused::generic(status).into_response();
    if let Some(seconds) = fault.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}
