//! A credential held at an instant, and when it was last used.

use jiff::Timestamp;
use ledger::event::Position;
use ledger::event::credential::{Credential, CredentialKind};
use projections::state::{Seen, Span, Subject};

use crate::calendar::days_between;

/// Hexadecimal digits of a key id that are enough to tell a person which one is meant.
const KEY_ID_SHOWN: usize = 8;
/// Longest part of an outsider's text that a statement quotes, in characters.
const QUOTE_CHARS_MAX: usize = 120;

/// When something was last used, seen from an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastUse {
    /// Not once by then.
    Never,
    /// Then.
    At(Seen),
    /// Before and after the instant; state keeps no list of all times.
    SomeTime(Seen),
    /// Not since sign-ins were pruned; whether before is not known any more.
    Pruned,
}

impl LastUse {
    /// From the first and last use ever and the longest silence between two uses.
    pub fn new(
        first: Option<Seen>,
        last: Option<Seen>,
        silence: Option<(Seen, Seen)>,
        at: Timestamp,
    ) -> Self {
        match (first, last) {
            (_, Some(last)) if last.at <= at => Self::At(last),
            (Some(first), _) if first.at <= at => match silence {
                Some((before, after)) if before.at <= at && at < after.at => Self::At(before),
                _ => Self::SomeTime(first),
            },
            _ => Self::Never,
        }
    }

    /// Whole days since, when known.
    pub fn days(self, at: Timestamp) -> Option<i64> {
        match self {
            Self::At(seen) => Some(days_between(seen.at, at)),
            Self::Never | Self::SomeTime(_) | Self::Pruned => None,
        }
    }

    /// The same, of something that began at a time and of which sign-ins before another are gone.
    #[must_use]
    pub fn or_pruned(self, began: Timestamp, until: Option<Timestamp>) -> Self {
        match self {
            Self::Never if until.is_some_and(|until| began < until) => Self::Pruned,
            known => known,
        }
    }

    /// Whether it was used in the last days, as far as known; unknown counts as used.
    pub fn within(self, days: i64, at: Timestamp) -> bool {
        match self {
            Self::Never | Self::Pruned => false,
            Self::At(seen) => days_between(seen.at, at) <= days,
            Self::SomeTime(_) => true,
        }
    }

    /// The time, when known.
    pub fn time(self) -> Option<Timestamp> {
        match self {
            Self::At(seen) => Some(seen.at),
            Self::Never | Self::SomeTime(_) | Self::Pruned => None,
        }
    }

    /// The event that told.
    pub fn position(self) -> Option<Position> {
        match self {
            Self::At(seen) | Self::SomeTime(seen) => Some(seen.position),
            Self::Never | Self::Pruned => None,
        }
    }
}

/// A credential of an identity, carried by it or by its application.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The credential and the events that made it.
    pub span: &'a Span<Credential>,
    /// The object that carries it.
    pub carrier: &'a Subject,
    /// When it was last used.
    pub last_use: LastUse,
}

impl<'a> Held<'a> {
    /// The credential.
    pub fn credential(&self) -> &'a Credential {
        &self.span.value
    }

    /// What it is.
    pub fn kind(&self) -> CredentialKind {
        self.span.value.kind
    }

    /// Whether it is trust in another issuer's token.
    pub fn is_federated(&self) -> bool {
        self.kind() == CredentialKind::Federated
    }

    /// Whether it is a client secret.
    pub fn is_secret(&self) -> bool {
        self.kind() == CredentialKind::Secret
    }

    /// Whether it proves the identity; what signs SAML tokens does not.
    pub fn is_login(&self) -> bool {
        self.span.value.usage.as_deref() != Some("Sign")
    }

    /// Whether it is in force; a time the source did not tell does not end it.
    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.span.value.starts_at.is_none_or(|start| start <= at)
            && self.span.value.ends_at.is_none_or(|end| at < end)
    }

    /// Start of validity, else when it appeared.
    pub fn started_at(&self) -> Timestamp {
        self.span.value.starts_at.unwrap_or(self.span.from)
    }

    /// Days it was issued for, when the source told both ends.
    pub fn issued_days(&self) -> Option<i64> {
        Some(days_between(
            self.span.value.starts_at?,
            self.span.value.ends_at?,
        ))
    }

    /// What a statement calls it, such as `Secret 3f9a01bc`.
    pub fn words(&self) -> String {
        let credential = self.credential();
        let short: String = credential.key_id.chars().take(KEY_ID_SHOWN).collect();
        match credential.kind {
            CredentialKind::Secret => format!("Secret {short}"),
            CredentialKind::Certificate => format!("Certificate {short}"),
            CredentialKind::SymmetricKey => format!("Symmetric key {short}"),
            CredentialKind::Federated => format!(
                "Federated credential for {}",
                quoted(credential.subject.as_deref().unwrap_or(&credential.key_id))
            ),
        }
    }

    /// Events that prove it, and its last use when asked.
    pub fn proof(&self, with_use: bool) -> Vec<Position> {
        let used = self.last_use.position().filter(|_| with_use);
        self.span.opened.iter().copied().chain(used).collect()
    }
}

/// An outsider's text in quotes, cut to a length a statement bears, without control characters.
pub fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// An outsider's text cut to a length a statement bears, without characters that are not seen or
/// turn the direction of what follows.
pub fn shown(text: &str) -> String {
    let is_seen = |c: &char| {
        !c.is_control()
            && !matches!(
                c,
                '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            )
    };
    text.chars().filter(is_seen).take(QUOTE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_or_turns_the_text_is_left_out() {
        assert_eq!(quoted("a\u{202e}b\nc\u{200b}"), "`abc`");
        assert_eq!(shown(&"x".repeat(500)).len(), QUOTE_CHARS_MAX);
    }

    #[test]
    fn the_last_use_before_an_instant_is_known_within_the_longest_silence() {
        let seen = |text: &str, position| Seen {
            at: text.parse().unwrap(),
            position,
        };
        let first = seen("2026-01-01T00:00:00Z", 1);
        let before = seen("2026-02-01T00:00:00Z", 2);
        let after = seen("2026-08-01T00:00:00Z", 3);
        let last = seen("2026-11-01T00:00:00Z", 4);
        let at = |text: &str| {
            LastUse::new(
                Some(first),
                Some(last),
                Some((before, after)),
                text.parse().unwrap(),
            )
        };
        assert_eq!(at("2025-12-31T00:00:00Z"), LastUse::Never);
        assert_eq!(at("2026-01-15T00:00:00Z"), LastUse::SomeTime(first));
        assert_eq!(at("2026-06-01T00:00:00Z"), LastUse::At(before));
        assert_eq!(at("2026-11-24T00:00:00Z"), LastUse::At(last));
    }
}
