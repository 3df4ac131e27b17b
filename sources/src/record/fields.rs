//! The fields of one JSON object, found by name without regard to case, values left unread.
//!
//! Forwarders lower-case keys, Log Analytics writes them in Pascal case and turns objects into JSON
//! strings; numbers come as strings and the other way round. Reading only the fields asked for is
//! also what makes sign-ins fast.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object, in order.
#[derive(Debug)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, &'de str)>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(32);
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, value.get()));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Fields)
    }
}

impl<'a> Fields<'a> {
    /// Reads the members of an object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Names in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// JSON of a value that is not null.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
            .filter(|value| *value != "null")
    }

    /// Whether there is a value that is not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A value as text: strings unescaped, numbers and booleans as written; empty is `None`.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        text_of(self.raw(name)?).filter(|text| !text.is_empty())
    }

    /// A value as owned text.
    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(Cow::into_owned)
    }

    /// A boolean, also one written as a string.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        let text = self.text(name)?;
        if text.eq_ignore_ascii_case("true") {
            Some(true)
        } else if text.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            None
        }
    }

    /// JSON of an object or array, also one that is held in a string.
    pub(crate) fn inner(&self, name: &str) -> Option<Cow<'a, str>> {
        let raw = self.raw(name)?;
        if raw.starts_with(['{', '[']) {
            return Some(Cow::Borrowed(raw));
        }
        let text = text_of(raw)?;
        text.trim_start().starts_with(['{', '[']).then_some(text)
    }

    /// Elements of an array of texts, also of an array held in a string. Others are left out.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let Some(inner) = self.inner(name) else {
            return Vec::new();
        };
        let elements: Vec<&RawValue> = serde_json::from_str(&inner).unwrap_or_default();
        elements
            .into_iter()
            .filter_map(|element| text_of(element.get()).map(Cow::into_owned))
            .filter(|text| !text.is_empty())
            .collect()
    }
}

/// A JSON scalar as text; `None` for null, objects, arrays.
pub(crate) fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    let Some(rest) = raw.strip_prefix('"') else {
        return (!raw.starts_with(['{', '[']) && raw != "null").then_some(Cow::Borrowed(raw));
    };
    let inside = rest.strip_suffix('"')?;
    if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_regard_to_case_and_values_in_any_type() {
        let fields = Fields::parse(
            r#"{"TenantId":"t","resulttype":7000215,"Level":"4","off":"False","none":null,"empty":"",
                "esc":"a\u2013b","Location":"{\"city\":\"X\"}","keyIds":["a",null,"b"]}"#,
        )
        .unwrap();
        assert_eq!(fields.text("tenantId").as_deref(), Some("t"));
        assert_eq!(fields.text("resultType").as_deref(), Some("7000215"));
        assert_eq!(fields.flag("OFF"), Some(false));
        assert!(!fields.has("none"));
        assert_eq!(fields.text("empty"), None);
        assert_eq!(fields.text("esc").as_deref(), Some("a–b"));
        assert_eq!(fields.inner("location").as_deref(), Some(r#"{"city":"X"}"#));
        assert_eq!(fields.texts("keyids"), ["a", "b"]);
        assert!(Fields::parse("[1]").is_err());
    }
}
