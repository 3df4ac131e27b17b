//! Where the ledger is: a connection string as the official clients know it.
//!
//! `kurrentdb://USER:PASSWORD@HOST:2113,HOST:2113/STREAM?OPTION=VALUE&…`, the scheme also
//! `kurrent`, `kdb` or `esdb`, each with `+discover`. The options are listed at [`OPTIONS`].

mod options;
mod percent;

use std::path::PathBuf;
use std::time::Duration;

use percent::{decode, encode};

pub use options::OPTIONS;

/// Schemes, each also with `+discover`.
const SCHEMES: [&str; 4] = ["kurrentdb", "kurrent", "kdb", "esdb"];

/// Port of a host that names none.
const PORT: u16 = 2_113;

/// Longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 8_192;

/// Most hosts.
const HOSTS_MAX: usize = 32;

/// Longest name of a stream, in bytes.
const STREAM_BYTES_MAX: usize = 512;

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    /// Name or address; an IPv6 address stands without brackets.
    pub name: String,
    /// Port.
    pub port: u16,
}

/// `db1:2113`, `[::1]:2113`.
impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

impl Host {
    /// A host that a server names; `None` when it cannot be one.
    pub(crate) fn of_parts(name: &str, port: u16) -> Option<Self> {
        let is_v6 = name.parse::<std::net::Ipv6Addr>().is_ok();
        let text = if is_v6 {
            format!("[{name}]:{port}")
        } else {
            format!("{name}:{port}")
        };
        host_of(&text)
    }
}

/// Which node of a cluster is read from. Appends always go to the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NodePreference {
    /// The leader.
    #[default]
    Leader,
    /// A follower, or else any.
    Follower,
    /// Any.
    Random,
    /// A read-only replica, or else any.
    ReadOnlyReplica,
}

/// Why a text is no address. None of them shows what may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It has none of the schemes.
    #[error(
        "the address does not begin with `kurrentdb://` (or `kurrent`, `kdb`, `esdb`, each also with `+discover`)"
    )]
    Scheme,
    /// It is too long.
    #[error("the address is longer than {ADDRESS_BYTES_MAX} bytes")]
    TooLong,
    /// It names no host.
    #[error("the address names no host, as in `kurrentdb://HOST:2113/STREAM`")]
    NoHost,
    /// It names too many hosts.
    #[error("the address names more than {HOSTS_MAX} hosts")]
    TooManyHosts,
    /// A host cannot be one.
    #[error(
        "host number {number} of the address is no host name or address with a port of 1 to 65535; \
        in a user or password write `:` `/` `?` `#` `@` `%` as `%3A` `%2F` `%3F` `%23` `%40` `%25`"
    )]
    Host {
        /// Which, from 1 on.
        number: usize,
    },
    /// A `@` where none may be.
    #[error(
        "the address has a `@` behind its hosts; write it as `%40` there, and in a user or \
        password write `/` as `%2F` and `?` as `%3F`"
    )]
    At,
    /// A `%` without two digits, or bytes that are no text.
    #[error(
        "a `%` in the {part} of the address is not followed by two hexadecimal digits of UTF-8"
    )]
    Percent {
        /// Where.
        part: &'static str,
    },
    /// There is a password without a user.
    #[error("a password was given but no user, as in `kurrentdb://USER@HOST/STREAM`")]
    NoUser,
    /// There is a user without a password.
    #[error(
        "the address names a user but no password; give it in DAYBOOK_KURRENTDB_PASSWORD or with \
        `passwordFile=`"
    )]
    NoPassword,
    /// Two ways to log in at once.
    #[error("the address says {first} and {second}; only one of them may be")]
    Both {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A user certificate needs both files.
    #[error("the address says {has} but not {lacks}; both are needed")]
    Half {
        /// What is there.
        has: &'static str,
        /// What is not.
        lacks: &'static str,
    },
    /// It names no stream.
    #[error("the address names no stream, as in `kurrentdb://HOST:2113/STREAM`")]
    NoStream,
    /// The stream is the server's own.
    #[error("the stream begins with `$`, which KurrentDB keeps for itself")]
    SystemStream,
    /// The stream's name is too long or has controls.
    #[error("the stream's name is longer than {STREAM_BYTES_MAX} bytes or has control characters")]
    StreamName,
    /// An option is not known.
    #[error("the address has an unknown option{}; known are {}", shown(.name), known())]
    UnknownOption {
        /// Its name; empty when it is not fit to be shown.
        name: String,
    },
    /// An option stands there twice.
    #[error("the address says `{name}` twice")]
    Twice {
        /// Its name.
        name: &'static str,
    },
    /// The value of an option cannot be.
    #[error("`{name}` of the address must be {must}")]
    Value {
        /// Name of the option.
        name: &'static str,
        /// What it must be.
        must: &'static str,
    },
}

fn shown(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" `{name}`")
    }
}

fn known() -> String {
    let names: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// A password or token, which nothing shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where a ledger is on KurrentDB, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) discover: bool,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    has_password: bool,
    pub(crate) token: Option<Secret>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) stream: String,
    pub(crate) options: Options,
}

/// What the options of an address say, with the defaults of the official clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) tls: bool,
    pub(crate) verify: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) cert_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) preference: NodePreference,
    pub(crate) discover_attempts: u32,
    pub(crate) discovery_interval: Duration,
    pub(crate) gossip_timeout: Duration,
    pub(crate) keep_alive_interval: Option<Duration>,
    pub(crate) keep_alive_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) connection_name: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
}

/// As it can be parsed again, but for what is secret and the options.
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("kurrentdb")?;
        if self.discover {
            f.write_str("+discover")?;
        }
        f.write_str("://")?;
        if let Some(user) = &self.user {
            write!(f, "{}@", encode(user, false))?;
        }
        for (at, host) in self.hosts.iter().enumerate() {
            write!(f, "{}{host}", if at == 0 { "" } else { "," })?;
        }
        write!(f, "/{}", encode(&self.stream, true))?;
        if !self.options.tls {
            f.write_str("?tls=false")?;
        }
        Ok(())
    }
}

impl Address {
    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.options.tls
    }

    /// Whether the server's certificate is checked.
    pub fn checks_certificate(&self) -> bool {
        self.options.verify
    }

    /// Whether a password stands in the address itself.
    pub fn has_password(&self) -> bool {
        self.has_password
    }

    /// Whether the text has one of the schemes, and so is to be parsed.
    pub fn is_one(text: &str) -> bool {
        split_scheme(text).is_some()
    }

    /// Reads a connection string.
    ///
    /// # Errors
    /// When it is none, or says something that is not known.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        let (discover, rest) = split_scheme(text).ok_or(AddressError::Scheme)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if tail.contains('@') {
            return Err(AddressError::At);
        }
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| login.split_once(':')) {
            None => (None, None),
            Some(Some((user, password))) => (Some(user), Some(password)),
            Some(None) => (login, None),
        };
        let user = user.map(|user| decode(user, "user")).transpose()?;
        let password = password
            .map(|password| decode(password, "password"))
            .transpose()?;
        if user
            .as_deref()
            .is_some_and(|user| user.is_empty() || user.contains(':'))
        {
            return Err(AddressError::NoUser);
        }
        let hosts = hosts_of(hosts)?;
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let stream = stream_of(path)?;
        let options = Options::parse(query)?;
        let has = |there: bool, first, second| {
            if there {
                Err(AddressError::Both { first, second })
            } else {
                Ok(())
            }
        };
        let files = (
            options.password_file.is_some(),
            options.token_file.is_some(),
        );
        has(
            password.is_some() && files.0,
            "a password",
            "`passwordFile`",
        )?;
        has(user.is_some() && files.1, "a user", "`tokenFile`")?;
        has(files.0 && files.1, "`passwordFile`", "`tokenFile`")?;
        if files.0 && user.is_none() {
            return Err(AddressError::NoUser);
        }
        Ok(Self {
            discover,
            user,
            has_password: password.is_some(),
            password: password.map(Secret),
            token: None,
            hosts,
            stream,
            options,
        })
    }

    /// With a password from elsewhere, such as the environment. It counts when the address names a
    /// user, and neither a password nor a file of one.
    #[must_use]
    pub fn with_password(mut self, password: Option<String>) -> Self {
        if self.user.is_some() && self.password.is_none() && self.options.password_file.is_none() {
            self.password = password.map(Secret);
        }
        self
    }

    /// With a bearer token from elsewhere, such as the environment. It counts when the address
    /// names no user and no file of a token.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        if self.user.is_none() && self.options.token_file.is_none() {
            self.token = token.map(Secret);
        }
        self
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The hosts, in the order they are named.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Whether the nodes are asked which of them leads, rather than the one host used as it is.
    pub(crate) fn is_cluster(&self) -> bool {
        self.discover || self.hosts.len() > 1
    }
}

/// Whether to discover, and what follows `://`.
fn split_scheme(text: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (name, discover) = match scheme.strip_suffix("+discover") {
        Some(name) => (name, true),
        None => (scheme.as_str(), false),
    };
    SCHEMES.contains(&name).then_some((discover, rest))
}

fn hosts_of(text: &str) -> Result<Vec<Host>, AddressError> {
    if text.is_empty() {
        return Err(AddressError::NoHost);
    }
    let mut hosts = Vec::new();
    for (at, part) in text.split(',').enumerate() {
        if at == HOSTS_MAX {
            return Err(AddressError::TooManyHosts);
        }
        let host = host_of(part).ok_or(AddressError::Host { number: at + 1 })?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}

fn host_of(text: &str) -> Option<Host> {
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (name, port) = rest.split_once(']')?;
        let _address: std::net::Ipv6Addr = name.parse().ok()?;
        (name, port)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        text.split_at(end)
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if port.is_empty() => PORT,
        None => return None,
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    let is_name = !name.is_empty() && name.len() <= 253 && name.bytes().all(fits);
    is_name.then(|| Host {
        name: name.to_ascii_lowercase(),
        port,
    })
}

fn stream_of(path: &str) -> Result<String, AddressError> {
    let name = path.strip_prefix('/').filter(|name| !name.is_empty());
    let name = decode(name.ok_or(AddressError::NoStream)?, "stream")?;
    if name.starts_with('$') {
        return Err(AddressError::SystemStream);
    }
    if name.len() > STREAM_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(AddressError::StreamName);
    }
    Ok(name)
}
