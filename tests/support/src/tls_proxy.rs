//! TLS in front of the fakes, and the authority that issues the certificates.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{
    HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use time::{Duration, OffsetDateTime};
use tokio::{io::copy_bidirectional, net::TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{FREE_PORT, RawTcpServer};

/// A certificate authority of its own, which no client trusts by default.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Default for Authority {
    fn default() -> Self {
        let mut params = CertificateParams::default();
        // Required by OpenSSL: a certificate with its issuer's name counts as self-signed.
        params.distinguished_name.push(DnType::CommonName, "An authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }
}

impl Authority {
    /// Its certificate, for a file.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Its certificate, for a client in this process.
    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server with a certificate for `name` that expires this many days from now, and that speaks these versions.
    pub fn server(&self, name: &str, days: i64, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a host name");
        params.use_authority_key_identifier_extension = true;
        params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
        params.not_after = OffsetDateTime::now_utc() + Duration::days(days);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a private key");
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions that ring supports")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a key for the certificate");
        // HTTP/2 comes first, so that a client that speaks it would.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

/// What a client and a server agreed on.
pub type Handshake = (HandshakeKind, ProtocolVersion, Option<Vec<u8>>);

/// Terminates TLS in front of a plain server; dropping it stops it.
pub struct TlsProxy {
    server: RawTcpServer,
    handshakes: Arc<Mutex<Vec<Handshake>>>,
}

impl TlsProxy {
    /// Starts on a free port.
    pub async fn start(upstream: SocketAddr, config: ServerConfig) -> Self {
        Self::start_at(FREE_PORT, upstream, config).await
    }

    /// Starts at this address.
    pub async fn start_at(address: SocketAddr, upstream: SocketAddr, config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let handshakes = Arc::<Mutex<Vec<Handshake>>>::default();
        let seen = Arc::clone(&handshakes);
        let serve = move |stream| {
            let proxied = proxy(stream, acceptor.clone(), upstream, Arc::clone(&seen));
            async move { drop(proxied.await) }
        };
        Self { server: RawTcpServer::start_at(address, serve).await, handshakes }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its URL, under the name that its certificate usually has.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address().port())
    }

    /// Every completed handshake, in order.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn proxy(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    upstream: SocketAddr,
    handshakes: Arc<Mutex<Vec<Handshake>>>,
) -> io::Result<()> {
    // As servers do. Otherwise a response waits for the client to acknowledge the end of the handshake.
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    handshakes.lock().unwrap_or_else(PoisonError::into_inner).extend(handshake(stream.get_ref().1));
    let mut upstream = TcpStream::connect(upstream).await?;
    upstream.set_nodelay(true)?;
    copy_bidirectional(&mut stream, &mut upstream).await.map(|_| ())
}

fn handshake(session: &ServerConnection) -> Option<Handshake> {
    Some((session.handshake_kind()?, session.protocol_version()?, session.alpn_protocol().map(<[u8]>::to_vec)))
}
