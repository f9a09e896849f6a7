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
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::reply::Reply;
use super::simulated::Simulator;

/// How long answers under way may still take once the server shall stop.
const GRACE: Duration = Duration::from_secs(1);

/// How long to wait after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The body of an answer, or the error that breaks it off.
type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// The connection breaks here, on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the simulator breaks the connection")]
struct Broken;

/// Serves until `shutdown` completes, then lets answers under way finish for a second. The listener decides who can reach
/// it; it should be bound to loopback.
pub async fn serve(
    simulator: Arc<dyn Simulator>,
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
                match accepted {
                    Ok((stream, _)) => drop(connections.spawn(connection(Arc::clone(&simulator), stream, stopped.clone()))),
                    // A client that went away before it was accepted is no reason to stop, and too many open files pass.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
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

async fn connection(simulator: Arc<dyn Simulator>, stream: TcpStream, mut stopped: watch::Receiver<()>) {
    // Answers are written whole, so there is nothing to wait for; failing to say so only costs time.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| respond(Arc::clone(&simulator), Arc::clone(&reset), request));
    let mut serving = http1::Builder::new()
        // An idle connection is kept: only faults that were asked for may break one.
        .header_read_timeout(None)
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
    simulator: Arc<dyn Simulator>,
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::super::dynatrace::Dynatrace;
    use super::super::spec::Spec;
    use super::*;

    /// A server on loopback, with one host.
    struct Served {
        address: std::net::SocketAddr,
        simulator: Arc<Dynatrace>,
        stop: oneshot::Sender<()>,
        serving: JoinHandle<io::Result<()>>,
    }

    async fn served(options: &str) -> Served {
        let url = format!("simulator:?entities=1&seed=7&tags=none&{options}");
        let simulator = Arc::new(Dynatrace::open(&Spec::from_url(&url, Path::new("")).unwrap()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let served: Arc<dyn Simulator> = Arc::clone(&simulator) as _;
        let serving = tokio::spawn(serve(served, listener, shutdown));
        Served {
            address,
            simulator,
            stop,
            serving,
        }
    }

    fn add(body: &str) -> String {
        let target = "/e/x/api/v2/tags?entitySelector=type(HOST)";
        format!(
            "POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    const BODY: &str = r#"{"tags":[{"key":"new"}]}"#;

    impl Served {
        /// Sends bytes, and returns what comes until the connection ends, and how it ends.
        async fn exchange(&self, bytes: &str) -> (String, io::Result<()>) {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(bytes.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let end = stream.read_to_end(&mut answer).await.map(drop);
            (String::from_utf8(answer).unwrap(), end)
        }

        async fn applied(&self) -> bool {
            let request = Request::builder()
                .uri("/api/v2/tags?entitySelector=type(HOST)")
                .body(Bytes::new());
            let reply = self.simulator.answer(request.unwrap()).await;
            let Reply::Answer(answer) = reply else {
                panic!("no answer")
            };
            String::from_utf8_lossy(answer.body()).contains("new")
        }
    }

    #[tokio::test]
    async fn one_connection_carries_several_requests() {
        let served = served("").await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        for _ in 0..3 {
            stream.write_all(add(BODY).as_bytes()).await.unwrap();
            let mut answer = String::new();
            while !answer.ends_with("}]}") {
                let mut part = [0; 1024];
                let n_read = stream.read(&mut part).await.unwrap();
                assert!(n_read > 0, "the connection ended after: {answer}");
                answer.push_str(str::from_utf8(&part[..n_read]).unwrap());
            }
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(
                answer.contains("content-type: application/json; charset=utf-8\r\n"),
                "{answer}"
            );
            assert!(answer.contains(r#""matchedEntitiesCount":1"#), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_reset_is_a_reset_on_the_wire() {
        for (fault, applied) in [("reset", false), ("lost-ack", true)] {
            let served = served(&format!("fault={fault},count=1")).await;
            let (answer, end) = served.exchange(&add(BODY)).await;
            assert_eq!(answer, "", "{fault}");
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "{fault}");
            assert_eq!(served.applied().await, applied, "{fault}");
        }
    }

    #[tokio::test]
    async fn a_truncated_answer_announces_more_than_comes() {
        let served = served("fault=truncated,count=1").await;
        let (answer, _) = served.exchange(&add(BODY)).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let announced = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        let announced: usize = announced.parse().unwrap();
        assert_eq!(body.len(), announced / 2, "{answer}");
        assert!(served.applied().await);
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_refused_and_not_read_to_its_end() {
        let served = served("max-body=10").await;
        // A body of a gigabyte is announced, and never sent.
        let head = add("").replace("content-length: 0", "content-length: 1000000000");
        let (answer, _) = served.exchange(&format!("{head}{}", "x".repeat(20))).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }

    #[tokio::test]
    async fn stopping_ends_idle_connections_and_waits_for_answers_under_way() {
        let served = served("fault=slow,delay=100ms").await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(add(BODY).as_bytes()).await.unwrap();
        // The request is in the journal as soon as it is applied, before its slow answer.
        while served.simulator.handled() == 0 {
            tokio::task::yield_now().await;
        }
        let _idle = TcpStream::connect(served.address).await.unwrap();
        served.stop.send(()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        served.serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn stopping_does_not_wait_for_answers_that_never_come() {
        let served = served("fault=timeout").await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(add(BODY).as_bytes()).await.unwrap();
        while served.simulator.handled() == 0 {
            tokio::task::yield_now().await;
        }
        served.stop.send(()).unwrap();
        served.serving.await.unwrap().unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert_eq!(answer, "");
    }
}
