//! The simulator on a socket: HTTP/1.1 with keep-alive, and connections that break where a fault says so.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http::{Request, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dynatrace::Dynatrace;
use super::reply::Reply;

/// How long answers under way may still take once the server shall stop.
const GRACE: Duration = Duration::from_secs(1);

/// The body of an answer, or the error that breaks it off.
type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// The connection breaks here, on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the simulator breaks the connection")]
struct Broken;

/// Serves until `shutdown` completes, then lets answers under way finish for a second. The listener decides who can reach
/// it; it should be bound to loopback.
pub async fn serve(
    simulator: Arc<Dynatrace>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => {
                // A client that went away before it was accepted is no reason to stop; too many open files may pass.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(Arc::clone(&simulator), stream, stopped.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop((listener, stop));
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

async fn connection(simulator: Arc<Dynatrace>, stream: TcpStream, mut stopped: watch::Receiver<()>) {
    // Answers are written whole, so there is nothing to wait for; failing to say so only costs time.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| respond(Arc::clone(&simulator), Arc::clone(&reset), request));
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // Whether a connection ends well is the client's affair; that it ends is all that matters here.
    tokio::select! {
        _ = &mut serving => {}
        _ = stopped.changed() => {
            Pin::new(&mut serving).graceful_shutdown();
            let _ = (&mut serving).await;
        }
    }
    if reset.load(Ordering::Acquire) {
        // Closing with a linger of zero is what puts a reset on the wire.
        let _ = serving.into_parts().io.into_inner().set_zero_linger();
    }
}

async fn respond(
    simulator: Arc<Dynatrace>,
    reset: Arc<AtomicBool>,
    request: Request<Incoming>,
) -> Result<Answer, Broken> {
    let (head, body) = request.into_parts();
    let body = bounded(body, simulator.max_body()).await?;
    match simulator.answer(Request::from_parts(head, body)).await {
        Reply::Answer(answer) => Ok(answer.map(|body| Full::new(body).map_err(never).boxed_unsync())),
        Reply::Truncated { answer, sent } => Ok(truncated(answer, sent)),
        Reply::Reset => {
            reset.store(true, Ordering::Release);
            Err(Broken)
        }
        Reply::Never => std::future::pending().await,
    }
}

/// The head announces the whole body; its first bytes go out, and then the connection breaks.
fn truncated(answer: Response<Bytes>, sent: usize) -> Answer {
    let length = answer.body().len();
    let mut answer = answer.map(|body| {
        let part = stream::once(ready(Ok(Frame::data(body.slice(..sent.min(length))))));
        let end = stream::once(async {
            // Lets the connection flush the part first.
            tokio::task::yield_now().await;
            Err(Broken)
        });
        StreamBody::new(part.chain(end)).boxed_unsync()
    });
    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    answer
}

fn never(never: Infallible) -> Broken {
    match never {}
}

/// Reads a body, or as much of it as is needed to see that it is too large.
async fn bounded(mut body: Incoming, max: usize) -> Result<Bytes, Broken> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(part) = frame.map_err(|_| Broken)?.into_data() {
            whole.extend_from_slice(&part);
        }
        if whole.len() > max {
            break;
        }
    }
    Ok(whole.freeze())
}
