//! TLS and HTTP for every connection the relay makes, so that there is one stack to audit and to start: rustls on ring,
//! HTTP/1.1, Mozilla's root certificates compiled in.
//!
//! Reading the system's certificates would take longer than a start without connections. AWS-LC gathers entropy from the
//! processor's jitter at its first handshake, 20 ms and more. Built without that, and with X25519 alone, it takes about twice
//! ring's instructions to its first hello, as long as ring for a lead, and a fifth more of the zip; both have the kernel's
//! random numbers then. What ring lacks is a FIPS validation, which nobody asked for, and a post-quantum key exchange: who
//! records a lead's connection today may read it when there is a quantum computer. A change of mind is this file and a
//! feature in `Cargo.toml`.

use std::sync::Arc;

use reqwest::{Client, ClientBuilder};
use rustls::{
    CipherSuite, ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::CertificateDer,
};

/// Why there can't be a client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// HTTP can't be set up.
    #[error("HTTP can't be set up: {0}")]
    Http(#[from] reqwest::Error),
}

/// An HTTP client that does what it is told and nothing else: no retry, no redirect, no proxy, no referer. Trusts the
/// public roots, and these.
pub(crate) fn http_client(extra_roots: &[CertificateDer<'static>]) -> Result<ClientBuilder, rustls::Error> {
    Ok(Client::builder()
        .tls_backend_preconfigured(client_config(extra_roots)?)
        .http1_only()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy())
}

fn client_config(extra_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(extra_roots)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// ring, and of its cipher suites AES-128 first: with it the handshake hashes with SHA-256, which processors do in hardware,
/// instead of SHA-384.
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
    fn the_public_roots_are_trusted_with_no_other_beside_them() {
        assert_eq!(roots(&[]).unwrap().len(), webpki_roots::TLS_SERVER_ROOTS.len());
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 100);
    }
}
