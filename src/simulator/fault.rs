//! Faults that a simulator commits on purpose, each with a probability, a filter and a limit.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Method;

use super::value::{duration, pairs, parse, share, words};

words! {
    /// What goes wrong.
    FaultKind {
        /// The connection is reset before anything is applied.
        Reset = "reset",
        /// Nothing is applied, and no answer ever comes.
        Timeout = "timeout",
        /// The request is applied, then the connection is reset.
        LostAck = "lost-ack",
        /// The request is applied, and no answer ever comes.
        Hang = "hang",
        /// The request is applied, then a server error is answered.
        LostReply = "lost-reply",
        /// A server error; nothing is applied.
        Error = "error",
        /// The request is applied, and only half of the answer's body comes.
        Truncated = "truncated",
        /// A page of HTML with status 200; nothing is applied.
        Garbage = "garbage",
        /// The answer comes late.
        Slow = "slow",
        /// A page of a listing other than the first is refused with 400, as if pages had been removed meanwhile; for Dynatrace
        /// alone, since others have no `nextPageKey`.
        StaleCursor = "stale-cursor",
    }
}

/// One kind of fault: `lost-ack,share=0.1,method=POST,path=/tags,count=3`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The probability for each request that passes the filter; 1 when not given.
    pub share: f64,
    /// Only requests of this method.
    pub method: Option<Method>,
    /// Only requests whose path holds this.
    pub path: Option<String>,
    /// So many requests that pass the filter are spared first.
    pub after: u64,
    /// At most so many times.
    pub count: Option<u64>,
    /// The status of `error` and `lost-reply`; 503 when not given.
    pub status: u16,
    /// Seconds in a `Retry-After` header of `error` and `lost-reply`.
    pub retry_after: Option<u64>,
    /// How late `slow` answers; 2 s when not given.
    pub delay: Duration,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, pairs) = pairs(text)?;
        let mut fault = Self {
            kind: parse(kind)?,
            share: 1.0,
            method: None,
            path: None,
            after: 0,
            count: None,
            status: 503,
            retry_after: None,
            delay: Duration::from_secs(2),
        };
        for (key, value) in pairs {
            fault.set(key, value).map_err(|why| format!("`{key}`: {why}"))?;
        }
        Ok(fault)
    }
}

impl Fault {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "share" => self.share = share(value)?,
            "method" => self.method = Some(parse(&value.to_ascii_uppercase())?),
            "path" => self.path = Some(value.to_owned()),
            "after" => self.after = parse(value)?,
            "count" => self.count = Some(parse(value)?),
            "status" => self.status = status(value)?,
            "retry-after" => self.retry_after = Some(parse(value)?),
            "delay" => self.delay = duration(value)?,
            _ => {
                return Err("use share, method, path, after, count, status, retry-after or delay".to_owned());
            }
        }
        Ok(())
    }

    /// How late it makes an answer.
    pub(super) fn lateness(&self) -> Duration {
        if self.kind == FaultKind::Slow {
            self.delay
        } else {
            Duration::ZERO
        }
    }

    fn concerns(&self, method: &Method, target: &str) -> bool {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let later_page = || query.split('&').any(|pair| pair.starts_with("nextPageKey="));
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.path.as_ref().is_none_or(|wanted| path.contains(wanted))
            && (self.kind != FaultKind::StaleCursor || later_page())
    }
}

fn status(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|status| (400..=599).contains(status))
        .ok_or_else(|| "use a status from 400 to 599".to_owned())
}

/// Draws faults; the same seed and the same order of requests give the same faults.
#[derive(Debug)]
pub(super) struct Dice(Option<Mutex<Drawing>>);

#[derive(Debug)]
struct Drawing {
    rng: fastrand::Rng,
    faults: Vec<Counted>,
}

#[derive(Debug)]
struct Counted {
    fault: Fault,
    seen: u64,
    happened: u64,
}

impl Dice {
    pub(super) fn new(faults: &[Fault], seed: u64) -> Self {
        let counted = |fault: &Fault| Counted {
            fault: fault.clone(),
            seen: 0,
            happened: 0,
        };
        let drawing = || Drawing {
            rng: fastrand::Rng::with_seed(seed),
            faults: faults.iter().map(counted).collect(),
        };
        // Without faults nothing is locked.
        Self((!faults.is_empty()).then(|| Mutex::new(drawing())))
    }

    /// The first fault, in the order in which they are listed, that strikes this request.
    pub(super) fn draw(&self, method: &Method, target: &str) -> Option<Fault> {
        let mut drawing = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let Drawing { rng, faults } = &mut *drawing;
        faults
            .iter_mut()
            .filter(|counted| counted.fault.concerns(method, target))
            .find_map(|counted| counted.strikes(rng).then(|| counted.fault.clone()))
    }
}

impl Counted {
    fn strikes(&mut self, rng: &mut fastrand::Rng) -> bool {
        self.seen += 1;
        let open = self.fault.count.is_none_or(|count| self.happened < count);
        let strikes = self.seen > self.fault.after && open && rng.f64() < self.fault.share;
        self.happened += u64::from(strikes);
        strikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(spec: &str, requests: &[(&str, &str)]) -> Vec<bool> {
        let dice = Dice::new(&[spec.parse().unwrap()], 7);
        let draw = |(method, target): &(&str, &str)| dice.draw(&method.parse().unwrap(), target).is_some();
        requests.iter().map(draw).collect()
    }

    #[test]
    fn filters_and_limits_hold() {
        let (post, get) = (("POST", "/api/v2/tags?x=/entities"), ("GET", "/api/v2/entities"));
        for (spec, requests, want) in [
            ("reset", vec![post, get], vec![true, true]),
            ("reset,method=post", vec![post, get], vec![true, false]),
            ("reset,path=/entities", vec![post, get], vec![false, true]),
            ("reset,count=1", vec![post, post], vec![true, false]),
            (
                "reset,after=1,count=1",
                vec![post, post, post],
                vec![false, true, false],
            ),
            ("reset,share=0", vec![post], vec![false]),
            (
                "stale-cursor",
                vec![get, ("GET", "/api/v2/entities?nextPageKey=x")],
                vec![false, true],
            ),
        ] {
            assert_eq!(struck(spec, &requests), want, "{spec}");
        }
    }

    #[test]
    fn a_share_is_kept_and_repeats_with_the_seed() {
        let requests = vec![("POST", "/api/v2/tags"); 2_000];
        let first = struck("lost-ack,share=0.1", &requests);
        let n_struck = first.iter().filter(|struck| **struck).count();
        assert!((150..250).contains(&n_struck), "{n_struck}");
        assert_eq!(first, struck("lost-ack,share=0.1", &requests));
    }

    #[test]
    fn what_is_wrong_with_a_fault_is_said() {
        for (spec, part) in [
            ("flood", "`lost-ack`"),
            ("reset,share=2", "share from 0 to 1"),
            ("reset,status=200", "status from 400 to 599"),
            ("reset,colour=red", "use share"),
            ("slow,delay=soon", "duration"),
        ] {
            let why = spec.parse::<Fault>().unwrap_err();
            assert!(why.contains(part), "{spec}: {why}");
        }
    }
}
