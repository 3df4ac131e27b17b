//! Where a witness may be asked.

use ureq::http::Uri;

use crate::http::is_loopback;

/// Longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// Why a witness is not asked at the address the policy has. It does not show the address, which
/// could hold a password. Listed in the order the causes are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No absolute URL, or too long a one.
    #[error("the address of the witness is no URL such as `https://witness.example/w1`")]
    Shape,
    /// A user name, a query or a fragment.
    #[error("the address of the witness is more than scheme, host, port and path")]
    Extra,
    /// Neither `https` nor this machine.
    #[error(
        "the address of the witness begins with `https://`; plain `http://` is for a loopback \
         address such as 127.0.0.1 alone"
    )]
    Plain,
}

/// `<submission prefix>/add-checkpoint`.
pub(super) fn add_checkpoint(prefix: &str) -> Result<Uri, AddressError> {
    if prefix.len() > ADDRESS_BYTES_MAX {
        return Err(AddressError::Shape);
    }
    if prefix.contains(['?', '#', '@']) {
        return Err(AddressError::Extra);
    }
    let text = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
    let uri: Uri = text.parse().or(Err(AddressError::Shape))?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(AddressError::Shape);
    };
    let is_allowed = match scheme {
        "https" => !host.is_empty(),
        "http" => is_loopback(host),
        _ => false,
    };
    is_allowed.then_some(uri).ok_or(AddressError::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_this_machine_are_asked_and_nothing_else() {
        for (prefix, wanted) in [
            ("https://w.example", "https://w.example/add-checkpoint"),
            (
                "https://w.example/a/b/",
                "https://w.example/a/b/add-checkpoint",
            ),
            (
                "HTTPS://w.example:8443/",
                "https://w.example:8443/add-checkpoint",
            ),
            (
                "http://127.0.0.1:7380",
                "http://127.0.0.1:7380/add-checkpoint",
            ),
            ("http://[::1]:7380/w", "http://[::1]:7380/w/add-checkpoint"),
        ] {
            let uri = add_checkpoint(prefix).unwrap();
            assert_eq!(uri.to_string(), wanted);
        }
        for (prefix, wanted) in [
            ("", AddressError::Shape),
            ("w.example", AddressError::Shape),
            ("/w", AddressError::Shape),
            ("https://", AddressError::Shape),
            ("https://w example", AddressError::Shape),
            ("https://user:secret@w.example", AddressError::Extra),
            ("https://w.example/?to=x", AddressError::Extra),
            ("https://w.example/#a", AddressError::Extra),
            ("http://w.example", AddressError::Plain),
            ("http://localhost:80", AddressError::Plain),
            ("http://10.0.0.1", AddressError::Plain),
            ("http://127.0.0.1.example", AddressError::Plain),
            ("http://[::ffff:127.0.0.1]", AddressError::Plain),
            ("ftp://w.example", AddressError::Plain),
            ("file:///etc/passwd", AddressError::Shape),
        ] {
            assert_eq!(add_checkpoint(prefix), Err(wanted), "{prefix}");
        }
        let long = format!("https://{}", "a".repeat(2_048));
        assert_eq!(add_checkpoint(&long), Err(AddressError::Shape));
    }
}
