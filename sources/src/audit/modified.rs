//! Values of `modifiedProperties`: JSON inside strings.
//!
//! `null` means "not reported", `"[]"` the empty set, `"\"\""` empty text.

use serde_json::Value;

use crate::fields::single;

/// Old and new value of one property, decoded; `None` is "not reported".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Modified {
    /// Value before.
    pub old: Option<Value>,
    /// Value after.
    pub new: Option<Value>,
}

impl Modified {
    /// The value after, or before when only that is told, as one text.
    pub(super) fn text(&self) -> Option<&str> {
        [&self.new, &self.old].into_iter().find_map(|value| {
            single(value.as_ref()?)
                .as_str()
                .map(str::trim)
                .filter(|text| !text.is_empty())
        })
    }
}

/// Decodes one side of a property.
pub(super) fn decoded(value: Option<&Value>) -> Option<Value> {
    match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Null) => None,
            Ok(inner) => Some(inner),
            // Some services write plain text.
            Err(_) if text.trim().is_empty() => None,
            Err(_) => Some(Value::String(text.clone())),
        },
        Some(other) => Some(other.clone()),
    }
}
