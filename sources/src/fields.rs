//! Reading fields of untrusted JSON objects, whatever the case of their names.
//!
//! Graph writes `type`, one of its own examples `Type`, Log Analytics `TargetResources`; the same
//! field is meant.

use jiff::Timestamp;
use serde_json::Value;

use crate::outcome::Reason;
use crate::time;

/// Longest value shown in a rejection, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// The field as it is, `null` included; exact name first, then any case.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, found)| found)
    })
}

/// The field, unless it is absent or `null`.
pub(crate) fn told<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    field(value, name).filter(|found| !found.is_null())
}

/// The field's text, trimmed, unless it is empty.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    told(value, name)
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// The field's text or a rejection that names the field.
pub(crate) fn needed<'a>(value: &'a Value, name: &str) -> Result<&'a str, Reason> {
    text(value, name).ok_or_else(|| Reason::Missing {
        field: name.to_owned(),
    })
}

/// The field's list; empty when it is anything else.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    told(value, name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The texts of the field's list, in order.
pub(crate) fn texts(value: &Value, name: &str) -> Vec<String> {
    list(value, name)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The field's instant, when it can be read.
pub(crate) fn instant(value: &Value, name: &str) -> Option<Timestamp> {
    text(value, name).and_then(instant_of)
}

/// The field's truth, also when written as text.
pub(crate) fn flag(value: &Value, name: &str) -> Option<bool> {
    truth(told(value, name)?)
}

/// `true`, `"True"`, `[true]`: a single truth, however wrapped.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match single(value) {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The value inside a list of one; any other value as it is.
pub(crate) fn single(value: &Value) -> &Value {
    match value {
        Value::Array(items) => match items.as_slice() {
            [only] => only,
            _ => value,
        },
        _ => value,
    }
}

/// Reads an instant in any of the ways exports write one ([`crate::time`]).
///
/// `9999-12-31…` means "never" and is past what a [`Timestamp`] can hold: it becomes the last
/// instant. `0001-01-01…` is how .NET writes "not set".
pub(crate) fn instant_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.starts_with("0001-01-01") {
        return None;
    }
    if text.starts_with("9999-12-31") {
        return Some(Timestamp::MAX);
    }
    time::parse(text)
}

/// A rejection for a value that is not what was expected.
pub(crate) fn bad_value(field: &str, value: &str, expected: &str) -> Reason {
    let shown = value
        .chars()
        .take(SHOWN_CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    Reason::BadValue {
        field: field.to_owned(),
        value: shown,
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_match_in_any_case_and_the_exact_one_wins() {
        let value = json!({"Type": "User", "ID": "a", "id": "b"});
        assert_eq!(text(&value, "type"), Some("User"));
        assert_eq!(text(&value, "id"), Some("b"));
    }

    #[test]
    fn instants_of_every_shape_seen_are_read() {
        let day = instant_of("2024-12-16T16:32:16.0875540Z");
        assert!(day.is_some());
        assert_eq!(instant_of("2024-12-16T16:32:16.087554+00:00"), day);
        assert_eq!(instant_of("2024-12-16 16:32:16.087554000"), day);
        assert_eq!(
            instant_of("9999-12-31T23:59:59.9999999Z"),
            Some(Timestamp::MAX)
        );
        assert_eq!(instant_of("0001-01-01T00:00:00Z"), None);
        assert_eq!(instant_of("yesterday"), None);
    }
}
