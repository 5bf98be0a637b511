//! AI Rudder as a server of raw bytes, and without any server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use support::{RawTcpServer, TestApp, read_request, with_deadline};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{Fault, LIMITS, MODE, Mode, Pushes, Row, leave_connection, post_twice};

/// What the server does on each connection.
#[derive(Clone, Copy)]
struct Server {
    fault: &'static str,
    scheme: &'static str,
    reads: Reads,
    writes: Writes,
    resets: bool,
}

/// How much of a push it reads.
#[derive(Clone, Copy)]
enum Reads {
    Nothing,
    /// Nothing, but it waits until the push has arrived.
    Peeks,
    Bytes(usize),
    All,
}

/// What it writes after that, before it closes the connection.
#[derive(Clone, Copy)]
enum Writes {
    Text(&'static str),
    /// A byte per second.
    Slowly(&'static str),
    /// This, and then white space without end.
    Endlessly(&'static str),
    /// Nothing, and it does not close the connection.
    Never,
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}";
const TWO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}\
                   HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":400}";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{\"code\":200}\r\n";
const HALF_OF_A_REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 12\r\n\r\n{\"code\":";
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{\"code\":200";

/// A response with a trace id of its own.
fn ok(number: u8) -> String {
    let body = format!(r#"{{"code":200,"trace_id":"{number:032x}"}}"#);
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[rustfmt::skip]
const SERVERS: [Server; 19] = [
    server("accepts the connection and never speaks TLS", "https", Reads::Nothing, Writes::Never, false),
    server("closes before TLS is agreed", "https", Reads::Nothing, Writes::Text(""), false),
    server("speaks no TLS", "https", Reads::Peeks, Writes::Text("HTTP/1.1 400 Bad Request\r\n\r\n"), false),
    server("accepts the connection and never reads", "http", Reads::Nothing, Writes::Never, false),
    server("closes before it reads", "http", Reads::Peeks, Writes::Text(""), false),
    server("resets before it reads", "http", Reads::Peeks, Writes::Text(""), true),
    server("resets within the push's headers", "http", Reads::Bytes(40), Writes::Text(""), true),
    server("resets within the push's body", "http", Reads::Bytes(220), Writes::Text(""), true),
    server("resets after the push", "http", Reads::All, Writes::Text(""), true),
    server("reads the push and never answers", "http", Reads::All, Writes::Never, false),
    server("closes after the push", "http", Reads::All, Writes::Text(""), false),
    server("half of the answer's headers", "http", Reads::All, Writes::Text("HTTP/1.1 200 OK\r\ncontent-le"), false),
    server("half of the answer's body", "http", Reads::All, Writes::Text(OK.split_at(OK.len() - 6).0), false),
    server("half of a refusal's body", "http", Reads::All, Writes::Text(HALF_OF_A_REFUSAL), false),
    server("a chunked answer without its end", "http", Reads::All, Writes::Text(CHUNKED), false),
    server("the answer, a byte a second", "http", Reads::All, Writes::Slowly(OK), false),
    server("an endless answer", "http", Reads::All, Writes::Endlessly(ENDLESS), false),
    server("no HTTP", "http", Reads::All, Writes::Text("220 smtp.example ESMTP\r\n"), false),
    server("two answers on one connection", "http", Reads::All, Writes::Text(TWO), false),
];

const fn server(fault: &'static str, scheme: &'static str, reads: Reads, writes: Writes, resets: bool) -> Server {
    Server { fault, scheme, reads, writes, resets }
}

/// One row per server.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let nowhere = [
        Fault::new("AI Rudder's name does not resolve", |_| {})
            .with(("UPSTREAM_BASE_URL", "https://rudder.invalid/push")),
        Fault::new("refuses the connection", |_| {}).with(("UPSTREAM_BASE_URL", "http://127.0.0.1:1/push")),
    ];
    nowhere.map(Fault::row).into_iter().chain(SERVERS.map(|server| row(server).boxed())).collect()
}

/// A connection that could not be made is tried twice more, and one that may have carried the lead never again.
async fn row(server: Server) -> Row {
    let pushes = Arc::<Mutex<Pushes>>::default();
    let counted = Arc::clone(&pushes);
    // Over TLS there is no lead that leaves a connection.
    let first_responses = if MODE.get() == Mode::Reused && server.scheme == "http" { vec![2, 1] } else { Vec::new() };
    let first_responses = Arc::new(Mutex::new(first_responses));
    let raw = RawTcpServer::start(move |mut stream| {
        let (counted, first_responses) = (Arc::clone(&counted), Arc::clone(&first_responses));
        async move {
            let next = || first_responses.lock().unwrap().pop();
            while let Some(number) = next() {
                read_request(&mut stream).await;
                stream.write_all(ok(number).as_bytes()).await.unwrap();
                if number == 1 {
                    // The first response leaves no connection.
                    return;
                }
            }
            server.serve(stream, counted).await;
        }
    })
    .await;
    let app = TestApp::with(&LIMITS).await;
    let relay = app.relay(&[&LIMITS[..], &[("UPSTREAM_BASE_URL", &raw.url(server.scheme))]].concat());
    if server.scheme == "http" {
        leave_connection(&relay).await;
    }
    let row = post_twice(server.fault, &relay, with_deadline(30_000), || *pushes.lock().unwrap(), || {}).await;
    // A lead that is not sent again may have opened one meanwhile. Two earlier leads had one each, and a connection that was
    // closed is replaced.
    let earlier = if MODE.get() == Mode::Reused && server.scheme == "http" { 3 } else { 0 };
    let expected = if row.first.outcome == "not_sent" { 6..=6 + earlier } else { 1..=2 + earlier };
    assert!(expected.contains(&raw.connections()), "{} connections: {row}", raw.connections());
    row
}

impl Server {
    async fn serve(self, mut stream: TcpStream, pushes: Arc<Mutex<Pushes>>) {
        match self.reads {
            Reads::Nothing => {}
            // An earlier reset would be one of connecting.
            Reads::Peeks => drop(stream.peek(&mut [0]).await),
            Reads::Bytes(bytes) => {
                let read = stream.read_exact(&mut vec![0; bytes]).await;
                pushes.lock().unwrap().part += usize::from(read.is_ok());
            }
            Reads::All => {
                if read_request(&mut stream).await.is_empty() {
                    return;
                }
                let mut pushes = pushes.lock().unwrap();
                pushes.whole += 1;
                pushes.accepted += usize::from(matches!(self.writes, Writes::Text(TWO)));
            }
        }
        self.writes.write(&mut stream).await;
        if self.resets {
            stream.set_zero_linger().unwrap();
        }
    }
}

impl Writes {
    /// Ignores errors: the relay may have gone.
    async fn write(self, stream: &mut TcpStream) {
        match self {
            Self::Text(text) => drop(stream.write_all(text.as_bytes()).await),
            Self::Slowly(text) => {
                for byte in text.bytes() {
                    let _ = stream.write_all(&[byte]).await;
                    sleep(Duration::from_secs(1)).await;
                }
            }
            Self::Endlessly(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                while stream.write_all(&[b' '; 4096]).await.is_ok() {}
            }
            Self::Never => std::future::pending().await,
        }
    }
}
