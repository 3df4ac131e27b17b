//! What `$$stream` says of a stream.

use serde_json::Value;

/// What `$$stream` says of a stream: which events are left, and who may do what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StreamMetadata {
    /// `$tb`: events before this revision are gone.
    pub(crate) truncate_before: Option<u64>,
    /// `$maxCount`: so many of the newest are left.
    pub(crate) max_count: Option<u64>,
    /// `$maxAge`, in seconds: older ones are gone.
    pub(crate) max_age: Option<u64>,
    /// `$acl`.
    pub(crate) acl: Acl,
}

/// Who may do what; `None` where the default holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Acl {
    /// `$r`.
    pub(crate) read: Option<Vec<String>>,
    /// `$w`.
    pub(crate) write: Option<Vec<String>>,
    /// `$d`.
    pub(crate) delete: Option<Vec<String>>,
    /// `$mr`.
    pub(crate) read_metadata: Option<Vec<String>>,
    /// `$mw`.
    pub(crate) write_metadata: Option<Vec<String>>,
}

/// `$tb` of a stream that was deleted softly.
pub(crate) const SOFTLY_DELETED: u64 = i64::MAX as u64;

impl StreamMetadata {
    /// Reads it; what is no JSON object says nothing.
    pub(crate) fn parse(data: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(data).unwrap_or(Value::Null);
        let number = |name: &str| value.get(name).and_then(Value::as_u64);
        let acl = value.get("$acl").unwrap_or(&Value::Null);
        Self {
            truncate_before: number("$tb"),
            max_count: number("$maxCount").filter(|count| *count > 0),
            max_age: number("$maxAge").filter(|age| *age > 0),
            acl: Acl {
                read: names(acl, "$r"),
                write: names(acl, "$w"),
                delete: names(acl, "$d"),
                read_metadata: names(acl, "$mr"),
                write_metadata: names(acl, "$mw"),
            },
        }
    }

    /// The metadata with another `$tb`, as JSON.
    pub(crate) fn with_truncate_before(data: &[u8], revision: u64) -> Vec<u8> {
        let mut value: Value = serde_json::from_slice(data).unwrap_or(Value::Null);
        if !value.is_object() {
            value = Value::Object(serde_json::Map::new());
        }
        if let Some(object) = value.as_object_mut() {
            object.insert("$tb".to_owned(), Value::from(revision));
        }
        value.to_string().into_bytes()
    }

    /// Whether the stream was deleted softly.
    pub(crate) fn is_softly_deleted(&self) -> bool {
        self.truncate_before == Some(SOFTLY_DELETED)
    }
}

/// One name, or a list.
fn names(acl: &Value, right: &str) -> Option<Vec<String>> {
    match acl.get(right)? {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(names) => Some(
            names
                .iter()
                .filter_map(Value::as_str)
                .map(ToOwned::to_owned)
                .collect(),
        ),
        _ => None,
    }
}
