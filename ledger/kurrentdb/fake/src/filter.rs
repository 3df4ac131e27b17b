//! Which events of everything are told.

use ledger_kurrentdb::wire::read::{Expression, FilterBy, FilterOptions, FilterWindow};
use tonic::Status;

use crate::recorded::Recorded;

/// Regular expressions that clients have for "no system events". Others are not understood.
const NO_SYSTEM: [&str; 4] = [
    r"^[^\$].*",
    r"^[^$].*",
    r"^(?!(\$.+$|PersistentConfig\d+$|Result$))",
    r"^(?!(\$.+|PersistentConfig\d+|Result)$)",
];

/// Which events of everything are told.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    of_stream: bool,
    fits: Fits,
    /// After how many events looked at a checkpoint is told.
    pub(crate) interval: Option<u64>,
}

#[derive(Debug, Clone)]
enum Fits {
    NoSystem { configs: bool },
    Prefixes(Vec<String>),
}

impl Filter {
    /// Reads what a client asks.
    pub(crate) fn parse(options: &FilterOptions) -> Result<Self, Status> {
        let (of_stream, expression) = match &options.by {
            Some(FilterBy::StreamName(expression)) => (true, expression),
            Some(FilterBy::EventType(expression)) => (false, expression),
            None => return Err(Status::invalid_argument("the filter says nothing")),
        };
        let every = match options.window {
            Some(FilterWindow::Max(max)) => Some(u64::from(max)),
            Some(FilterWindow::Count(())) => None,
            None => return Err(Status::invalid_argument("the filter has no window")),
        };
        Ok(Self {
            of_stream,
            fits: Fits::parse(expression)?,
            interval: every
                .map(|max| max.saturating_mul(u64::from(options.checkpoint_interval_multiplier)))
                .filter(|interval| *interval > 0),
        })
    }

    /// Whether an event is told.
    pub(crate) fn fits(&self, event: &Recorded) -> bool {
        let text = if self.of_stream {
            &event.stream
        } else {
            &event.kind
        };
        match &self.fits {
            Fits::Prefixes(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix)),
            Fits::NoSystem { configs } => {
                !text.is_empty()
                    && !text.starts_with('$')
                    && (*configs || !is_config(text) && &**text != "Result")
            }
        }
    }
}

impl Fits {
    fn parse(expression: &Expression) -> Result<Self, Status> {
        if expression.regex.is_empty() {
            return Ok(Self::Prefixes(expression.prefix.clone()));
        }
        if let Some(known) = NO_SYSTEM
            .iter()
            .position(|known| *known == expression.regex)
        {
            return Ok(Self::NoSystem { configs: known < 2 });
        }
        // "^literal" is a prefix.
        let literal = expression.regex.strip_prefix('^').unwrap_or_default();
        if !literal.is_empty()
            && literal
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        {
            return Ok(Self::Prefixes(vec![literal.to_owned()]));
        }
        Err(Status::unimplemented(
            "this stand-in understands prefixes and the regular expressions for no system events",
        ))
    }
}

/// `PersistentConfig` and digits.
fn is_config(text: &str) -> bool {
    text.strip_prefix("PersistentConfig")
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}
