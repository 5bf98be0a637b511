//! AI Rudder as a server of raw bytes, and as nothing at all.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use lambda_http::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{LIMITS, Pushes, Row, post_twice};
use crate::{stage::Stage, wire::Wire};

/// How the server treats each connection.
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
    /// Nothing, but it waits until the push is there.
    NothingOfIt,
    Bytes(usize),
    All,
}

/// What it writes then, before it closes the connection.
#[derive(Clone, Copy)]
enum Writes {
    Text(&'static str),
    /// A byte a second.
    Slowly(&'static str),
    /// So much, and then without an end.
    Endlessly(&'static str),
    /// Nothing, and it does not close the connection either.
    Never,
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}";
const TWO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":200}\
                   HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"code\":400}";
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{\"code\":200";

#[rustfmt::skip]
const SERVERS: [Server; 15] = [
    server("accepts the connection and never speaks TLS", "https", Reads::Nothing, Writes::Never, false),
    server("closes before TLS is agreed", "https", Reads::Nothing, Writes::Text(""), false),
    server("speaks no TLS", "https", Reads::NothingOfIt, Writes::Text("HTTP/1.1 400 Bad Request\r\n\r\n"), false),
    server("accepts the connection and never reads", "http", Reads::Nothing, Writes::Never, false),
    server("resets before it reads", "http", Reads::NothingOfIt, Writes::Text(""), true),
    server("resets within the push's headers", "http", Reads::Bytes(40), Writes::Text(""), true),
    server("resets within the push's body", "http", Reads::Bytes(220), Writes::Text(""), true),
    server("resets after the push", "http", Reads::All, Writes::Text(""), true),
    server("reads the push and never answers", "http", Reads::All, Writes::Never, false),
    server("half of the answer's headers", "http", Reads::All, Writes::Text("HTTP/1.1 200 OK\r\ncontent-le"), false),
    server("half of the answer's body", "http", Reads::All, Writes::Text(OK.split_at(OK.len() - 6).0), false),
    server("the answer, a byte a second", "http", Reads::All, Writes::Slowly(OK), false),
    server("an endless answer", "http", Reads::All, Writes::Endlessly(ENDLESS), false),
    server("no HTTP", "http", Reads::All, Writes::Text("220 smtp.example ESMTP\r\n"), false),
    server("two answers on one connection", "http", Reads::All, Writes::Text(TWO), false),
];

const fn server(fault: &'static str, scheme: &'static str, reads: Reads, writes: Writes, resets: bool) -> Server {
    Server { fault, scheme, reads, writes, resets }
}

/// One row a server.
pub fn rows() -> Vec<BoxFuture<'static, Row>> {
    let nowhere = [
        elsewhere("AI Rudder's name does not resolve", "https://rudder.invalid/push").boxed(),
        elsewhere("refuses the connection", "http://127.0.0.1:1/push").boxed(),
    ];
    nowhere.into_iter().chain(SERVERS.map(|server| row(server).boxed())).collect()
}

/// AI Rudder at an address where there is nothing like it.
async fn elsewhere(fault: &str, url: &str) -> Row {
    let stage = Stage::with(&LIMITS).await;
    let relay = stage.relay(&[&LIMITS[..], &[("UPSTREAM_BASE_URL", url)]].concat());
    post_twice(fault, &relay, Context::default(), Pushes::default, || {}).await
}

async fn row(server: Server) -> Row {
    let pushes = Arc::<Mutex<Pushes>>::default();
    let wire = Wire::start({
        let pushes = Arc::clone(&pushes);
        move |stream| server.treat(stream, Arc::clone(&pushes))
    })
    .await;
    let stage = Stage::with(&LIMITS).await;
    let relay = stage.relay(&[&LIMITS[..], &[("UPSTREAM_BASE_URL", &wire.url(server.scheme))]].concat());
    post_twice(server.fault, &relay, Context::default(), || *pushes.lock().unwrap(), || {}).await
}

impl Server {
    async fn treat(self, mut stream: TcpStream, pushes: Arc<Mutex<Pushes>>) {
        match self.reads {
            Reads::Nothing => {}
            // Before it is there, a reset would be one of the connection's making.
            Reads::NothingOfIt => drop(stream.peek(&mut [0]).await),
            Reads::Bytes(bytes) => {
                let read = stream.read_exact(&mut vec![0; bytes]).await;
                pushes.lock().unwrap().part += usize::from(read.is_ok());
            }
            Reads::All => {
                read_all(&mut stream).await;
                let mut pushes = pushes.lock().unwrap();
                pushes.whole += 1;
                pushes.accepted += usize::from(matches!(self.writes, Writes::Text(TWO)));
            }
        }
        self.writes.to(&mut stream).await;
        if self.resets {
            stream.set_zero_linger().unwrap();
        }
    }
}

impl Writes {
    /// Until the other side has gone, which is no failure here.
    async fn to(self, stream: &mut TcpStream) {
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

/// Reads until the end of a lead's JSON, the last thing in a push.
async fn read_all(stream: &mut TcpStream) {
    let mut push = Vec::new();
    let mut buffer = [0; 4096];
    while !push.ends_with(b"}}") {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => push.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
}
