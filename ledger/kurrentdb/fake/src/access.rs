//! Who may do what.

use std::fmt;

use base64::Engine as _;
use http::HeaderMap;
use tonic::Status;

use crate::metadata::{Acl, StreamMetadata};
use crate::status;

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    name: String,
    password: String,
    token: Option<String>,
}

impl User {
    /// A user with a password.
    pub fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            token: None,
        }
    }

    /// The same, known by a bearer token as well.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Those a new server has.
    pub fn defaults() -> Vec<Self> {
        vec![Self::new("admin", "changeit"), Self::new("ops", "changeit")]
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("User").field(&self.name).finish()
    }
}

/// What is done to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Read,
    Write,
    Delete,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Anyone, of a server without users, which lets everyone do everything.
    Everyone,
    /// Someone who does not say who: told of the server, and of no stream.
    Anonymous,
    /// A user.
    User(String),
}

impl Caller {
    /// Finds out who calls.
    pub(crate) fn of(headers: &HeaderMap, users: &[User]) -> Result<Self, Status> {
        if users.is_empty() {
            return Ok(Self::Everyone);
        }
        let Some(value) = headers.get(http::header::AUTHORIZATION) else {
            return Ok(Self::Anonymous);
        };
        let words = value.to_str().ok().and_then(|value| value.split_once(' '));
        let user = match words {
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
                by_password(encoded.trim(), users)
            }
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => users
                .iter()
                .find(|user| user.token.as_deref() == Some(token.trim())),
            _ => None,
        };
        user.map(|user| Self::User(user.name.clone()))
            .ok_or_else(status::unauthenticated)
    }

    /// Whether it may; `metadata` is that of the stream, of a metadata stream its stream's.
    pub(crate) fn may(&self, right: Right, stream: &str, metadata: &StreamMetadata) -> bool {
        let name = match self {
            Self::Everyone => return true,
            Self::Anonymous => return false,
            Self::User(name) => name,
        };
        if name == "admin" {
            return true;
        }
        let Acl {
            read,
            write,
            delete,
            read_metadata,
            write_metadata,
        } = &metadata.acl;
        let (stream, allowed) = match (stream.strip_prefix("$$"), right) {
            (Some(of), Right::Read) => (of, read_metadata),
            (Some(of), _) => (of, write_metadata),
            (None, Right::Read) => (stream, read),
            (None, Right::Write) => (stream, write),
            (None, Right::Delete) => (stream, delete),
        };
        match allowed {
            None => !stream.starts_with('$'),
            Some(allowed) => allowed
                .iter()
                .any(|who| who == "$all" || who == name || (who == "$ops" && name == "ops")),
        }
    }
}

fn by_password<'a>(encoded: &str, users: &'a [User]) -> Option<&'a User> {
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    users
        .iter()
        .find(|user| user.name == name && user.password == password)
}
