//! A TLS server that accepts connections, and stalls each handshake until it is released.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustls::ServerConfig;
use tokio::{io::AsyncReadExt, net::TcpStream, sync::watch, task::yield_now};
use tokio_rustls::TlsAcceptor;

use crate::RawTcpServer;

/// See the module; dropping it stops it.
pub struct StalledTlsServer {
    server: RawTcpServer,
    released: watch::Sender<bool>,
    read: Arc<AtomicUsize>,
}

impl StalledTlsServer {
    /// Starts on a free port, with this TLS.
    pub async fn start(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (released, release) = watch::channel(false);
        let read = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&read);
        let serve = move |stream| {
            let served = serve(stream, acceptor.clone(), release.clone(), Arc::clone(&counter));
            async move { drop(served.await) }
        };
        Self { server: RawTcpServer::start(serve).await, released, read }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/push", self.server.address().port())
    }

    /// Waits for the first connection.
    pub async fn connected(&self) {
        while self.server.connections() == 0 {
            yield_now().await;
        }
    }

    /// Completes every handshake, those that are stalled too.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// How many bytes came through TLS.
    pub fn bytes_read(&self) -> usize {
        self.read.load(Ordering::SeqCst)
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
