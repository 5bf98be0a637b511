//! A server behind TLS that agrees on it only when it is told to.

use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, crypto::ring};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::stage::ANYWHERE;

pub struct Gate {
    address: SocketAddr,
    pem: String,
    arrived: watch::Receiver<usize>,
    open: watch::Sender<bool>,
    read: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Gate {
    /// Closed, on any free port.
    pub async fn start() -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], signing_key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(ANYWHERE).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrivals, arrived) = watch::channel(0);
        let (open, opened) = watch::channel(false);
        let read = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&read);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                arrivals.send_modify(|arrivals| *arrivals += 1);
                tokio::spawn(serve(stream, acceptor.clone(), opened.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, pem: cert.pem(), arrived, open, read, serving }
    }

    pub fn url(&self) -> String {
        format!("https://{}/push", self.address)
    }

    /// Writes the certificate to trust to a file.
    pub fn write_pem(&self, file: &Path) -> io::Result<()> {
        fs::write(file, &self.pem)
    }

    /// Waits for the first connection.
    pub async fn arrived(&self) {
        self.arrived.clone().wait_for(|arrived| *arrived > 0).await.unwrap();
    }

    /// Agrees on TLS, with those who wait too.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// How many bytes came through TLS.
    pub fn read(&self) -> usize {
        self.read.load(Ordering::SeqCst)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, mut open: watch::Receiver<bool>, read: Arc<AtomicUsize>) {
    if open.wait_for(|open| *open).await.is_err() {
        return;
    }
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut buffer = [0; 4096];
    while let Ok(bytes @ 1..) = stream.read(&mut buffer).await {
        read.fetch_add(bytes, Ordering::SeqCst);
    }
}
