//! TLS and HTTP for every connection of the relay, so that only one stack must be audited and started: rustls with ring,
//! HTTP/1.1, Mozilla's root certificates compiled in.
//!
//! The system's certificates are not read: that takes longer than the rest of a start. ring starts faster than AWS-LC, but
//! has no post-quantum key exchange; `docs/design.md` compares the two.

use std::sync::Arc;

use reqwest::{Client, ClientBuilder};
use rustls::{
    CipherSuite, ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::CertificateDer,
};

/// Why no client can be created.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// HTTP cannot be set up.
    #[error("HTTP cannot be set up: {0}")]
    Http(#[from] reqwest::Error),
}

/// An HTTP client without redirects, proxies or referers, and without a second attempt for a request that was begun.
pub(crate) fn http_client(tls: ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
}

/// TLS that trusts the public roots and `extra_roots`. Its clones share the sessions that can be resumed.
pub(crate) fn client_config(extra_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(extra_roots)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// ring, with AES-128 as the first cipher suite: its handshake hashes with SHA-256, which processors support in hardware,
/// and not with SHA-384.
fn provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}

fn roots(extra_roots: &[CertificateDer<'static>]) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra_roots {
        roots.add(root.clone())?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_roots_are_trusted_by_default() {
        assert_eq!(roots(&[]).unwrap().len(), webpki_roots::TLS_SERVER_ROOTS.len());
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 100);
    }
}
