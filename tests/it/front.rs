//! TLS in front of the stand-ins, and the authority that vouches for it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{
    HandshakeKind, ProtocolVersion, ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use time::{Duration, OffsetDateTime};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::stage::ANYWHERE;

/// An authority that nobody trusts unless told to.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        // What OpenSSL asks for: else a server's certificate would bear its issuer's name, as a self-signed one does.
        params.distinguished_name.push(DnType::CommonName, "An authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server with a certificate for `name` that is valid for so many days from now, and that speaks these versions.
    pub fn server(&self, name: &str, days: i64, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = true;
        params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
        params.not_after = OffsetDateTime::now_utc() + Duration::days(days);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        // Offers HTTP/2 first, so that a client that speaks it would.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

/// What a client and a server agreed on.
pub type Handshake = (HandshakeKind, ProtocolVersion, Option<Vec<u8>>);

/// TLS in front of a server that has none.
pub struct Front {
    pub address: SocketAddr,
    handshakes: Arc<Mutex<Vec<Handshake>>>,
    serving: JoinHandle<()>,
}

impl Front {
    pub async fn of(behind: SocketAddr, config: ServerConfig) -> Self {
        Self::at(ANYWHERE, behind, config).await.unwrap()
    }

    pub async fn at(address: SocketAddr, behind: SocketAddr, config: ServerConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let handshakes = Arc::<Mutex<Vec<Handshake>>>::default();
        let seen = Arc::clone(&handshakes);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    // As servers do; else an answer waits for the client to acknowledge the end of the handshake.
                    let _ = stream.set_nodelay(true);
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let session = stream.get_ref().1;
                    seen.lock().unwrap().push((
                        session.handshake_kind().unwrap(),
                        session.protocol_version().unwrap(),
                        session.alpn_protocol().map(<[u8]>::to_vec),
                    ));
                    let mut behind = TcpStream::connect(behind).await.unwrap();
                    let _ = behind.set_nodelay(true);
                    let _ = copy_bidirectional(&mut stream, &mut behind).await;
                });
            }
        });
        Ok(Self { address, handshakes, serving })
    }

    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.lock().unwrap().clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
