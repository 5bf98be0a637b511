//! A TLS server that accepts connections, and stalls each handshake until it is released.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustls::ServerConfig;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::FREE_PORT;

/// See the module; dropping it stops it.
pub struct StalledTlsServer {
    address: SocketAddr,
    connected: watch::Receiver<usize>,
    released: watch::Sender<bool>,
    read: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl StalledTlsServer {
    /// Starts on a free port, with this TLS.
    pub async fn start(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(FREE_PORT).await.expect("a free port");
        let address = listener.local_addr().expect("a port");
        let (connections, connected) = watch::channel(0);
        let (released, release) = watch::channel(false);
        let read = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&read);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.send_modify(|connections| *connections += 1);
                tokio::spawn(serve(stream, acceptor.clone(), release.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, connected, released, read, serving }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}/push", self.address.port())
    }

    /// Waits for the first connection.
    pub async fn connected(&self) {
        self.connected.clone().wait_for(|connections| *connections > 0).await.expect("the server runs");
    }

    /// Completes every handshake, those that are stalled too.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// How many bytes came through TLS.
    #[must_use]
    pub fn bytes_read(&self) -> usize {
        self.read.load(Ordering::SeqCst)
    }
}

impl Drop for StalledTlsServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    mut release: watch::Receiver<bool>,
    read: Arc<AtomicUsize>,
) -> io::Result<()> {
    let _ = release.wait_for(|released| *released).await;
    let mut stream = acceptor.accept(stream).await?;
    let mut buffer = [0; 4096];
    while let bytes @ 1.. = stream.read(&mut buffer).await? {
        read.fetch_add(bytes, Ordering::SeqCst);
    }
    Ok(())
}
