//! Addresses: AI Rudder's, without the token, and the endpoints that replace AWS's own.

use std::net::IpAddr;

use reqwest::Url;

/// AI Rudder's address without the token, in AI Rudder's spelling.
pub(super) const AI_RUDDER: &str = "https://flex-route-ia.airudder.com/api/push/lendswift-under-wirting";

/// Why an address is rejected. It must be https because tokens, credentials and personal data are sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    #[error("must be an https URL")]
    NotHttps,
    #[error("may be http only to a loopback address, or if AWS_SAM_LOCAL is true")]
    PlainHttp,
    #[error("must not contain a user name, a password, a query or a fragment")]
    ExtraParts,
}

/// Parses an address. `sam_local` allows plain http to any address, for a fake on the container's host.
pub(super) fn parse(text: &str, sam_local: bool) -> Result<Url, AddressError> {
    let url: Url = text.parse().map_err(|_| AddressError::NotHttps)?;
    match url.scheme() {
        "https" => {}
        "http" if sam_local || is_loopback(&url) => {}
        "http" => return Err(AddressError::PlainHttp),
        _ => return Err(AddressError::NotHttps),
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::ExtraParts);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_allowed_only_to_loopback_or_under_sam_local() {
        for url in [
            "https://rudder.example/api",
            "http://127.0.0.1:9001/api",
            "http://127.9.9.9",
            "http://[::1]:9001/api",
            "http://localhost:9001",
        ] {
            assert!(parse(url, false).is_ok(), "{url}");
        }
        for url in ["http://rudder.example", "http://172.17.0.1:9001", "http://127.0.0.1.example", "http://[::2]/"] {
            assert_eq!(parse(url, false), Err(AddressError::PlainHttp), "{url}");
            assert!(parse(url, true).is_ok(), "{url} for sam local");
        }
    }

    #[test]
    fn other_schemes_and_extra_parts_are_rejected() {
        for url in ["", "rudder.example/api", "ftp://rudder.example", "file:///etc/hosts", "https://", "data:,"] {
            assert_eq!(parse(url, true), Err(AddressError::NotHttps), "{url}");
        }
        for url in [
            "https://user@rudder.example",
            "https://:password@rudder.example",
            "https://rudder.example/?a=b",
            "https://rudder.example/#a",
        ] {
            assert_eq!(parse(url, false), Err(AddressError::ExtraParts), "{url}");
        }
    }
}
