//! A server of raw bytes, for everything that a correct HTTP server does not do.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::FREE_PORT;

/// Serves every connection in the same way, and counts them; dropping it stops it.
pub struct RawTcpServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl RawTcpServer {
    /// Runs `serve` for each connection to a free port.
    pub async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_at(FREE_PORT, serve).await
    }

    /// Runs `serve` for each connection to this address.
    pub async fn start_at<F>(address: SocketAddr, serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("a socket's address");
        let connections = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&connections);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections, serving }
    }

    /// Reads a whole request, writes `response`, and closes.
    pub async fn responding(response: &'static str) -> Self {
        Self::start(move |mut stream| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(response.as_bytes()).await;
        })
        .await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL with this scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/push", self.address)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for RawTcpServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Reads up to the end of a lead's JSON, the last thing in a request, or of the stream.
pub async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"}}") {
        match stream.read_buf(&mut request).await {
            Ok(1..) => {}
            _ => break,
        }
    }
    String::from_utf8(request).expect("a request is text")
}
