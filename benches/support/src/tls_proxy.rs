//! TLS in front of a server that speaks plain HTTP.

use std::{io, net::SocketAddr, sync::Arc};

use rcgen::{CertifiedKey, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::Failure;

/// Listens on `address`, and passes everything on to `server` until the runtime ends. It has TLS sessions of its own.
/// Returns the address with its port.
pub async fn start(
    address: SocketAddr,
    server: SocketAddr,
    certificate: &CertifiedKey<KeyPair>,
) -> Result<SocketAddr, Failure> {
    let key = PrivateKeyDer::try_from(certificate.signing_key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = config.with_single_cert(vec![certificate.cert.der().clone()], key)?;
    // The fakes speak nothing else, and reqwest would choose HTTP/2.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, server, acceptor.clone()));
        }
    });
    Ok(address)
}

async fn forward(client: TcpStream, server: SocketAddr, acceptor: TlsAcceptor) -> io::Result<()> {
    // As servers do; otherwise a response waits until the client acknowledges the end of the handshake.
    client.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
