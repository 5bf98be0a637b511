//! TLS for every connection the relay makes: rustls on ring, so there is one stack to audit and to start.

use std::sync::Arc;

use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

/// TLS towards AI Rudder: Mozilla's roots, compiled in, and the extra ones of the configuration.
pub(crate) fn client_config(extra_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra_roots {
        roots.add(root.clone())?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The HTTP client for the AWS SDK: the system's roots, and one more where a test brings its own authority (PEM).
#[must_use]
pub fn aws_http_client(extra_root: Option<&[u8]>) -> SharedHttpClient {
    let mut roots = TrustStore::empty().with_native_roots(true);
    if let Some(pem) = extra_root {
        roots.add_pem_certificate(pem);
    }
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Building a context from a trust store alone has nothing to refuse.
        Err(_) => builder.build_https(),
    }
}
