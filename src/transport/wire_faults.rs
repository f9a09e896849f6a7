//! For this room's tests: a server on loopback that sends exactly the bytes that it is told to, and then does as told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What the server does after it has sent its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    /// Waits for the next request on the same connection.
    Stay,
    /// Closes the connection in order.
    Close,
    /// Resets the connection.
    Reset,
    /// Sends one more byte every 20 ms, for ever.
    Drip,
}

type Answers = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// A server that counts its connections and keeps the requests.
#[derive(Debug)]
pub(crate) struct RawServer {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<String>,
    connections: usize,
}

impl RawServer {
    pub(crate) async fn new(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        let bytes = bytes.into();
        Self::answering(move |_| bytes.clone(), then).await
    }

    /// A server that looks at each request before it answers.
    pub(crate) async fn answering(
        answers: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
        then: Then,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let answers: Arc<Answers> = Arc::new(answers);
        let noted = Arc::clone(&seen);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                noted.lock().expect("no test panics here").connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&answers), then, Arc::clone(&noted)));
            }
        });
        Self {
            address,
            seen,
            serving,
        }
    }

    /// The server's URL with some path.
    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().expect("a URL")
    }

    /// The requests as they came in.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("no test panics here").requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().expect("no test panics here").connections
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, answers: Arc<Answers>, then: Then, seen: Arc<Mutex<Seen>>) {
    while let Some(request) = read_request(&mut stream).await {
        let bytes = answers(&request);
        seen.lock().expect("no test panics here").requests.push(request);
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
        match then {
            Then::Stay => {}
            Then::Close => return,
            Then::Reset => return stream.set_zero_linger().expect("a live socket"),
            Then::Drip => {
                let mut ticks = tokio::time::interval(Duration::from_millis(20));
                while stream.write_all(b"x").await.is_ok() {
                    ticks.tick().await;
                }
            }
        }
    }
}

/// Reads a request with its body; `None` when the connection is closed.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        let n_read = stream.read(&mut buffer).await.ok().filter(|n_read| *n_read > 0)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..n_read]));
    }
}
