//! The embedded simulator as something that requests can be sent to.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::simulator::Reply;
use crate::simulator::Simulator;
use crate::wire::{Exec, Request, Response, SendError};

/// Answers within this process. What the simulator breaks on a wire is broken here too.
#[derive(Debug)]
pub struct Embedded {
    simulator: Arc<dyn Simulator>,
    timeout: Duration,
}

impl Embedded {
    /// Wraps a simulator; a request without an answer ends after `timeout`.
    pub fn new(simulator: Arc<dyn Simulator>, timeout: Duration) -> Self {
        Self { simulator, timeout }
    }

    async fn answer(&self, request: Request) -> Result<Response, SendError> {
        let mut carried = http::Request::builder()
            .method(request.method)
            .uri(request.target);
        if let Some(headers) = carried.headers_mut() {
            *headers = request.headers;
        }
        let carried = carried
            .body(request.body)
            .map_err(|error| SendError::Fatal(error.to_string()))?;
        let answer = tokio::time::timeout(self.timeout, self.simulator.answer(carried)).await;
        match answer {
            Ok(Reply::Answer(answer)) => Ok(whole(answer)),
            Ok(Reply::Truncated { sent, .. }) => Err(SendError::Broken(format!(
                "the answer was cut off after {sent} bytes"
            ))),
            Ok(Reply::Reset) => Err(SendError::Broken(
                "the connection was reset before an answer came".to_owned(),
            )),
            Ok(Reply::Never) => {
                tokio::time::sleep(self.timeout).await;
                Err(SendError::TimedOut(format!(
                    "no answer within {} s",
                    self.timeout.as_secs_f32()
                )))
            }
            Err(_) => Err(SendError::TimedOut(format!(
                "no answer within {} s",
                self.timeout.as_secs_f32()
            ))),
        }
    }
}

fn whole(answer: http::Response<Bytes>) -> Response {
    let (parts, body) = answer.into_parts();
    Response {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

impl Exec for Embedded {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(self.answer(request))
    }
}
