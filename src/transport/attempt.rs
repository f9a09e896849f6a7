//! What one attempt says: answer or error, turned into what the retry loop does and what the journal keeps. Pure.

use std::time::Duration;

use http::HeaderMap;

use super::wait;
use crate::wire::{AttemptEnd, Judge, Request, Response, RetryKind, SendError, Verdict};

/// What an attempt says about its call.
#[derive(Debug)]
pub(super) enum Finding {
    /// The answer is what was asked for.
    Accepted(Response),
    /// The vendor throttles, and may say for how long.
    Throttled {
        /// As long as that.
        after: Option<Duration>,
        /// What to tell about it.
        reason: String,
    },
    /// It only told how to authenticate: the call goes on at once, and nothing counts against it.
    Authenticated,
    /// A passing fault: the call may be sent again.
    Fault(Fault),
    /// It can't be said whether the call had an effect, and it may not be sent again: no answer came.
    Lost(Fault),
    /// The vendor answered, and the call is over without having been accepted.
    Over(Ending),
    /// Nothing more may be sent: the vendor refuses the credentials.
    Stop(String),
    /// Nothing can be sent at all.
    Unusable(String),
}

/// A fault of one attempt.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// `timeout`, `network` or `server`.
    pub(super) class: &'static str,
    pub(super) reason: String,
    /// How long the vendor says to wait.
    pub(super) after: Option<Duration>,
    /// Whether the attempt may have had its effect all the same.
    pub(super) maybe_applied: bool,
}

/// How an answered call ends.
#[derive(Debug)]
pub(super) enum Ending {
    Split(String),
    Unknown(String),
    Refused(&'static str, String),
}

/// Headers that name an exchange for a vendor's support, whoever the vendor is. Its own come first.
const CORRELATION: [&str; 4] = [
    "x-request-id",
    "x-correlation-id",
    "x-amzn-trace-id",
    "traceresponse",
];

/// The longest name of an exchange that is kept, in characters; a header may hold anything.
const LONGEST_CORRELATION: usize = 128;

/// Reads the outcome of an attempt.
pub(super) fn read(
    outcome: Result<Response, SendError>,
    request: &Request,
    judge: &(dyn Judge + Send + Sync),
) -> (Finding, AttemptEnd) {
    match outcome {
        Ok(response) => {
            let verdict = judge.judge(request, &response);
            let end = ended(word(&verdict), &response, judge);
            (judged(verdict, response), end)
        }
        Err(error) => {
            let (finding, class) = unanswered(error, request.idempotent);
            let end = AttemptEnd {
                class,
                status: None,
                correlation: None,
            };
            (finding, end)
        }
    }
}

/// What the journal keeps of an answer.
pub(super) fn ended(
    class: &'static str,
    response: &Response,
    judge: &(dyn Judge + Send + Sync),
) -> AttemptEnd {
    AttemptEnd {
        class,
        status: Some(response.status),
        correlation: correlation(&response.headers, judge.correlation()),
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "accepted",
        Verdict::Retry {
            kind: RetryKind::Throttled,
            ..
        } => "throttled",
        Verdict::Retry {
            kind: RetryKind::Transient,
            ..
        } => "transient",
        Verdict::Split { .. } => "split",
        Verdict::Unknown { .. } => "unknown",
        Verdict::Refuse { .. } => "refused",
        Verdict::Stop { .. } => "stopped",
    }
}

fn judged(verdict: Verdict, response: Response) -> Finding {
    match verdict {
        Verdict::Accept => Finding::Accepted(response),
        Verdict::Retry { kind, after } => {
            let after = after.or_else(|| wait::asked(&response.headers));
            let reason = format!("the vendor answered with status {}", response.status);
            match kind {
                RetryKind::Throttled => Finding::Throttled { after, reason },
                // A server that fails may have done its work before; only observing can tell.
                RetryKind::Transient => Finding::Fault(Fault {
                    class: "server",
                    reason,
                    after,
                    maybe_applied: true,
                }),
            }
        }
        Verdict::Split { reason } => Finding::Over(Ending::Split(reason)),
        Verdict::Unknown { reason } => Finding::Over(Ending::Unknown(reason)),
        Verdict::Refuse { class, reason } => Finding::Over(Ending::Refused(class, reason)),
        Verdict::Stop { reason } => Finding::Stop(reason),
    }
}

fn unanswered(error: SendError, idempotent: bool) -> (Finding, &'static str) {
    let fault = |class, reason, maybe_applied| Fault {
        class,
        reason,
        after: None,
        maybe_applied,
    };
    let again = if idempotent { Finding::Fault } else { Finding::Lost };
    match error {
        SendError::NotSent(why) => (Finding::Fault(fault("network", why, false)), "not_sent"),
        SendError::TimedOut(why) => (again(fault("timeout", why, true)), "timeout"),
        SendError::Broken(why) => (again(fault("network", why, true)), "broken"),
        SendError::Fatal(why) => (Finding::Unusable(why), "not_sent"),
    }
}

/// The first of the vendor's headers, else of the common ones; of one that is there twice the first value.
fn correlation(headers: &HeaderMap, of_vendor: &[&str]) -> Option<String> {
    let text = of_vendor
        .iter()
        .chain(&CORRELATION)
        .find_map(|name| headers.get(*name)?.to_str().ok())?;
    Some(text.chars().take(LONGEST_CORRELATION).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::script::{ByStatus, answer, write};

    #[test]
    fn the_wait_of_a_verdict_comes_before_that_of_the_headers() {
        #[derive(Debug)]
        struct Says(Option<Duration>);
        impl Judge for Says {
            fn judge(&self, _: &Request, _: &Response) -> Verdict {
                let kind = RetryKind::Throttled;
                Verdict::Retry { kind, after: self.0 }
            }
        }
        let two = Some(Duration::from_secs(2));
        let nine = Some(Duration::from_secs(9));
        for (says, headers, want) in [
            (two, &[("retry-after", "9")][..], two),
            (None, &[("retry-after", "9")], nine),
            (None, &[("retry-after", "soon"), ("x-ratelimit-reset", "9")], nine),
            (None, &[], None),
        ] {
            let (finding, end) = read(Ok(answer(429, headers)), &write("/"), &Says(says));
            match finding {
                Finding::Throttled { after, reason } => {
                    assert_eq!(after, want);
                    assert_eq!(reason, "the vendor answered with status 429");
                }
                other => panic!("{other:?}"),
            }
            assert_eq!((end.class, end.status), ("throttled", Some(429)));
        }
    }

    #[test]
    fn the_journal_gets_a_word_a_status_and_the_name_of_the_exchange() {
        let long = "7".repeat(500);
        for (name, value, want) in [
            ("x-request-id", "abc", Some("abc")),
            ("x-correlation-id", "def", Some("def")),
            ("x-request-id", long.as_str(), Some(&long[..128])),
            ("x-other", "ghi", None),
        ] {
            let (_, end) = read(Ok(answer(404, &[(name, value)])), &write("/"), &ByStatus);
            assert_eq!(end.correlation.as_deref(), want);
            assert_eq!((end.class, end.status), ("refused", Some(404)));
        }
        let lost = SendError::Broken("reset".to_owned());
        let (_, end) = read(Err(lost), &write("/"), &ByStatus);
        assert_eq!((end.class, end.status, end.correlation), ("broken", None, None));
    }

    #[test]
    fn the_headers_of_the_vendor_come_before_the_common_ones_and_the_first_of_two_is_kept() {
        #[derive(Debug)]
        struct Names(&'static [&'static str]);
        const ECID: &str = "x-oracle-dms-ecid";
        impl Judge for Names {
            fn judge(&self, _: &Request, _: &Response) -> Verdict {
                Verdict::Accept
            }
            fn correlation(&self) -> &'static [&'static str] {
                self.0
            }
        }
        let both = [("x-request-id", "common"), (ECID, "first"), (ECID, "second")];
        for (names, headers, want) in [
            (&[ECID][..], &both[..], Some("first")),
            (&["x-other", ECID], &both, Some("first")),
            (&["x-other"], &both, Some("common")),
            (&[ECID], &both[..1], Some("common")),
            (&[], &both[1..], None),
        ] {
            let (_, end) = read(Ok(answer(200, headers)), &write("/"), &Names(names));
            assert_eq!(end.correlation.as_deref(), want, "{names:?}");
        }
    }
}
