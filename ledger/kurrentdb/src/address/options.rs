//! What may stand behind the `?`.

use std::path::PathBuf;
use std::time::Duration;

use super::percent::decode;
use super::{AddressError, NodePreference, Options};

/// Options of an address and what they mean. Their names are read without regard to case; times
/// are milliseconds.
pub const OPTIONS: [(&str, &str); 16] = [
    (
        "tls",
        "whether the connection is encrypted: true (default) or false",
    ),
    (
        "tlsVerifyCert",
        "whether the server's certificate is checked: true (default) or false",
    ),
    (
        "tlsCaFile",
        "PEM file of the certificates that are trusted, instead of the system's",
    ),
    (
        "userCertFile",
        "PEM file of the user's certificate; needs userKeyFile",
    ),
    (
        "userKeyFile",
        "PEM file of the key of the user's certificate",
    ),
    (
        "nodePreference",
        "which node is read from: leader (default), follower, random or readOnlyReplica",
    ),
    (
        "maxDiscoverAttempts",
        "how often all hosts are tried before giving up: 3",
    ),
    ("discoveryInterval", "pause between these tries: 500"),
    (
        "gossipTimeout",
        "how long a host may take to connect and to tell the nodes: 3000",
    ),
    (
        "keepAliveInterval",
        "after how long without traffic the connection is checked: 10000; -1 is never",
    ),
    (
        "keepAliveTimeout",
        "how long the check may take: 10000; -1 is never",
    ),
    ("defaultDeadline", "how long a call may take: 10000"),
    (
        "connectionName",
        "name of the connection in the server's log",
    ),
    (
        "throwOnAppendFailure",
        "accepted as other clients know it, and without effect",
    ),
    ("passwordFile", "file with the user's password"),
    ("tokenFile", "file with a bearer token"),
];

/// Longest time of an option: a day.
const MILLISECONDS_MAX: u64 = 86_400_000;

impl Default for Options {
    fn default() -> Self {
        Self {
            tls: true,
            verify: true,
            ca_file: None,
            cert_file: None,
            key_file: None,
            preference: NodePreference::Leader,
            discover_attempts: 3,
            discovery_interval: Duration::from_millis(500),
            gossip_timeout: Duration::from_secs(3),
            keep_alive_interval: Some(Duration::from_secs(10)),
            keep_alive_timeout: Some(Duration::from_secs(10)),
            deadline: None,
            connection_name: None,
            password_file: None,
            token_file: None,
        }
    }
}

impl Options {
    /// Reads `name=value&name=value`.
    pub(super) fn parse(query: &str) -> Result<Self, AddressError> {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = OPTIONS.iter().map(|(known, _)| *known);
            let Some(name) = known
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(name))
            else {
                let plain =
                    name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                return Err(AddressError::UnknownOption {
                    name: if plain {
                        name.to_owned()
                    } else {
                        String::new()
                    },
                });
            };
            if seen.contains(&name) {
                return Err(AddressError::Twice { name });
            }
            seen.push(name);
            options.set(name, decode(value, "options")?)?;
        }
        match (&options.cert_file, &options.key_file) {
            (Some(_), None) => Err(AddressError::Half {
                has: "`userCertFile`",
                lacks: "`userKeyFile`",
            }),
            (None, Some(_)) => Err(AddressError::Half {
                has: "`userKeyFile`",
                lacks: "`userCertFile`",
            }),
            _ => Ok(options),
        }
    }

    fn set(&mut self, name: &'static str, value: String) -> Result<(), AddressError> {
        match name {
            "tls" => self.tls = boolean(name, &value)?,
            "tlsVerifyCert" => self.verify = boolean(name, &value)?,
            "tlsCaFile" => self.ca_file = Some(file(name, value)?),
            "userCertFile" => self.cert_file = Some(file(name, value)?),
            "userKeyFile" => self.key_file = Some(file(name, value)?),
            "nodePreference" => self.preference = preference(name, &value)?,
            "maxDiscoverAttempts" => self.discover_attempts = attempts(name, &value)?,
            "discoveryInterval" => self.discovery_interval = milliseconds(name, &value)?,
            "gossipTimeout" => self.gossip_timeout = milliseconds(name, &value)?,
            "keepAliveInterval" => self.keep_alive_interval = or_never(name, &value)?,
            "keepAliveTimeout" => self.keep_alive_timeout = or_never(name, &value)?,
            "defaultDeadline" => self.deadline = Some(milliseconds(name, &value)?),
            "connectionName" => self.connection_name = Some(header(name, value)?),
            "throwOnAppendFailure" => _ = boolean(name, &value)?,
            "passwordFile" => self.password_file = Some(file(name, value)?),
            "tokenFile" => self.token_file = Some(file(name, value)?),
            _ => {}
        }
        Ok(())
    }
}

fn boolean(name: &'static str, value: &str) -> Result<bool, AddressError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(AddressError::Value {
            name,
            must: "`true` or `false`",
        }),
    }
}

fn file(name: &'static str, value: String) -> Result<PathBuf, AddressError> {
    if value.is_empty() || value.contains('\0') {
        return Err(AddressError::Value {
            name,
            must: "the path of a file",
        });
    }
    Ok(PathBuf::from(value))
}

fn preference(name: &'static str, value: &str) -> Result<NodePreference, AddressError> {
    match value.to_ascii_lowercase().as_str() {
        "leader" => Ok(NodePreference::Leader),
        "follower" => Ok(NodePreference::Follower),
        "random" => Ok(NodePreference::Random),
        "readonlyreplica" => Ok(NodePreference::ReadOnlyReplica),
        _ => Err(AddressError::Value {
            name,
            must: "`leader`, `follower`, `random` or `readOnlyReplica`",
        }),
    }
}

fn attempts(name: &'static str, value: &str) -> Result<u32, AddressError> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=1_000).contains(number));
    number.ok_or(AddressError::Value {
        name,
        must: "a number of 1 to 1000",
    })
}

fn milliseconds(name: &'static str, value: &str) -> Result<Duration, AddressError> {
    let number = value.parse().ok();
    let number = number.filter(|number| (1..=MILLISECONDS_MAX).contains(number));
    let must = "milliseconds of 1 to 86400000";
    number
        .map(Duration::from_millis)
        .ok_or(AddressError::Value { name, must })
}

fn or_never(name: &'static str, value: &str) -> Result<Option<Duration>, AddressError> {
    if value == "-1" {
        return Ok(None);
    }
    let must = "-1 or milliseconds of 1 to 86400000";
    match milliseconds(name, value) {
        Ok(time) => Ok(Some(time)),
        Err(_no_time) => Err(AddressError::Value { name, must }),
    }
}

fn header(name: &'static str, value: String) -> Result<String, AddressError> {
    let plain = value.len() <= 128 && value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if plain && !value.trim().is_empty() {
        Ok(value)
    } else {
        Err(AddressError::Value {
            name,
            must: "at most 128 printable ASCII characters",
        })
    }
}
