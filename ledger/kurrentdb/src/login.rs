//! Who calls, and with what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::metadata::{Ascii, MetadataValue};

use crate::address::{Address, AddressError};
use crate::error::KurrentError;
use crate::tls::read_file;

/// Who calls, and with what.
pub(crate) struct Login {
    header: Option<MetadataValue<Ascii>>,
    /// What may not be accepted.
    pub(crate) credential: String,
    /// Who may not do something.
    pub(crate) caller: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.caller)
    }
}

impl Login {
    /// Reads the files that the address names.
    pub(crate) fn of(address: &Address) -> Result<Self, KurrentError> {
        let options = &address.options;
        let token = match (&address.token, &options.token_file) {
            (_, Some(path)) => Some(secret("tokenFile", path)?),
            (Some(token), None) => Some(token.0.clone()),
            (None, None) => None,
        };
        if let Some(token) = token {
            return Ok(Self {
                header: Some(header(&format!("Bearer {token}"))?),
                credential: "the token".to_owned(),
                caller: "the holder of the token".to_owned(),
            });
        }
        let Some(user) = &address.user else {
            return Ok(Self {
                header: None,
                credential: "calls without a user".to_owned(),
                caller: "someone without a user".to_owned(),
            });
        };
        let password = match (&address.password, &options.password_file) {
            (_, Some(path)) => secret("passwordFile", path)?,
            (Some(password), None) => password.0.clone(),
            (None, None) => return Err(AddressError::NoPassword.into()),
        };
        let pair = STANDARD.encode(format!("{user}:{password}"));
        Ok(Self {
            header: Some(header(&format!("Basic {pair}"))?),
            credential: format!("the password of user `{user}`"),
            caller: format!("user `{user}`"),
        })
    }

    /// Value of the `authorization` header.
    pub(crate) fn header(&self) -> Option<&MetadataValue<Ascii>> {
        self.header.as_ref()
    }
}

/// The text in a file, without the line's end.
fn secret(option: &'static str, path: &std::path::Path) -> Result<String, KurrentError> {
    let bad = |reason: &str| KurrentError::File {
        option,
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let text = String::from_utf8(read_file(option, path)?).map_err(|_odd| bad("it is no text"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(bad("it is empty"));
    }
    Ok(text.to_owned())
}

fn header(text: &str) -> Result<MetadataValue<Ascii>, KurrentError> {
    let mut value: MetadataValue<Ascii> = text.parse().map_err(|_odd| KurrentError::Setup {
        reason: "the token has characters that cannot be sent".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
