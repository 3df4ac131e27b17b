//! Where a record comes from: what its events take over besides its fields.

use jiff::Timestamp;
use ledger::Source;

use crate::outcome::Reason;
use crate::record::excerpt::{bad_value, missing};
use crate::record::fields::Fields;
use crate::shape::Shape;
use crate::time;

/// Facts about one record that are not in its fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Tenant it belongs to.
    pub tenant: &'a str,
    /// Its shape, which names the source.
    pub shape: Shape,
    /// BLAKE3 of its bytes, hex.
    pub digest: &'a str,
    /// When a snapshot was taken.
    pub observed_at: Timestamp,
    /// Whether network facts go to the private part.
    pub private_network: bool,
}

impl Origin<'_> {
    /// The source of an event, with the record's own id.
    pub(crate) fn source(&self, record: Option<String>) -> Source {
        Source {
            name: self.shape.source().to_owned(),
            record,
            digest: self.digest.to_owned(),
        }
    }
}

/// A record whose fields may be in the `properties` of an Azure Monitor envelope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enveloped<'a, 'r> {
    /// The envelope, or the record itself.
    pub outer: &'a Fields<'r>,
    /// The record proper.
    pub inner: &'a Fields<'r>,
}

impl<'r> Enveloped<'_, 'r> {
    /// A text that has to be there.
    pub(crate) fn needed(&self, name: &str) -> Result<String, Reason> {
        self.inner.owned(name).ok_or_else(|| missing(name))
    }

    /// The first of these times that is given. A time that is given but malformed is refused, and
    /// nothing stands in for it.
    pub(crate) fn time(&self, names: &[&str]) -> Result<Timestamp, Reason> {
        for name in names {
            if let Some(time) = self.time_if_given(name)? {
                return Ok(time);
            }
        }
        Err(missing(names.first().copied().unwrap_or_default()))
    }

    /// A time that may be absent but not malformed.
    pub(crate) fn time_if_given(&self, name: &str) -> Result<Option<Timestamp>, Reason> {
        let text = self.inner.text(name).or_else(|| self.outer.text(name));
        match text {
            Some(text) => match time::parse(&text) {
                Some(time) => Ok(Some(time)),
                None => Err(bad_value(name, &text, "a time")),
            },
            None => Ok(None),
        }
    }

    /// A text from the record, else from its envelope.
    pub(crate) fn either(&self, inner: &str, outer: &str) -> Option<std::borrow::Cow<'r, str>> {
        self.inner.text(inner).or_else(|| self.outer.text(outer))
    }
}
