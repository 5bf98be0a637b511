//! Certificates to trust in addition to the public ones.

use std::{
    fs::File,
    io::{self, BufReader},
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Why a file of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum RootsError {
    #[error("can't be read: {0}")]
    Unreadable(io::ErrorKind),
    #[error("must be a PEM file of one or more certificates")]
    NotPem,
}

/// Reads a PEM file of certificates. `Err` if it has none, or one that cannot serve as a root.
pub(super) fn read(path: &str) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let file = File::open(path).map_err(|error| RootsError::Unreadable(error.kind()))?;
    let roots = CertificateDer::pem_reader_iter(BufReader::new(file)).collect::<Result<Vec<_>, _>>();
    let usable = |root: &CertificateDer<'static>| RootCertStore::empty().add(root.clone()).is_ok();
    match roots {
        Ok(roots) if !roots.is_empty() && roots.iter().all(usable) => Ok(roots),
        _ => Err(RootsError::NotPem),
    }
}
