//! Rows of a query result: values without names, under the columns of their table.
//!
//! Log Analytics answers `{"tables":[{"columns":[{"name":…}],"rows":[[…]]}]}`; older Kusto answers
//! write `ColumnName`. A row becomes the object the same row is in an export of objects.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::fields::{Fields, text_of};
use crate::outcome::Reason;

/// Longest names of a table together, in bytes: they are repeated for every row. A Log Analytics
/// table has at most 500 columns of at most 45 characters.
const NAMES_BYTES_MAX: usize = 64 << 10;

/// Names of a table's columns, in order, each as JSON.
pub(crate) type Columns = Arc<[String]>;

/// The columns in the start of a table, up to the colon before its rows.
pub(crate) fn columns_of(start: &[u8]) -> Option<Columns> {
    let table = format!("{}null}}", std::str::from_utf8(start).ok()?);
    let columns = Fields::parse(&table).ok()?.inner("columns")?.into_owned();
    let columns: Vec<&RawValue> = serde_json::from_str(&columns).ok()?;
    let mut names = Vec::with_capacity(columns.len());
    let mut bytes = 0_usize;
    for column in columns {
        let name = name_of(column.get())?;
        bytes = bytes.saturating_add(name.len());
        if bytes > NAMES_BYTES_MAX {
            return None;
        }
        names.push(name);
    }
    Some(names.into())
}

fn name_of(column: &str) -> Option<String> {
    let name = match Fields::parse(column) {
        Ok(fields) => fields
            .owned("name")
            .or_else(|| fields.owned("ColumnName"))?,
        Err(_) => text_of(column)?.into_owned(),
    };
    serde_json::to_string(&name).ok()
}

/// The object a row is under these columns; anything but a row stays as it is.
pub(crate) fn object<'t>(text: &'t str, columns: &[String]) -> Result<Cow<'t, str>, Reason> {
    if !text.starts_with('[') {
        return Ok(Cow::Borrowed(text));
    }
    let values: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| Reason::NotJson {
        detail: error.to_string(),
    })?;
    if values.len() != columns.len() {
        let detail = format!(
            "a row of {} values under {} columns",
            values.len(),
            columns.len()
        );
        return Err(Reason::UnknownShape { detail });
    }
    let mut object = String::with_capacity(text.len().saturating_mul(2));
    let mut before = '{';
    for (name, value) in columns.iter().zip(values) {
        object.push(before);
        object.push_str(name);
        object.push(':');
        object.push_str(value.get());
        before = ',';
    }
    if columns.is_empty() {
        object.push('{');
    }
    object.push('}');
    Ok(Cow::Owned(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_object_its_columns_make_of_it() {
        let start = br#"{"name":"PrimaryResult","columns":[{"name":"Id","type":"string"},{"ColumnName":"a\"b"},"c"],"rows": "#;
        let columns = columns_of(start).unwrap();
        assert_eq!(
            object(r#"["1",null,{"x":[2]}]"#, &columns).unwrap(),
            r#"{"Id":"1","a\"b":null,"c":{"x":[2]}}"#
        );
        assert_eq!(object("[]", &[]).unwrap(), "{}");
        assert_eq!(object("{\"a\":1}", &columns).unwrap(), "{\"a\":1}");
        assert_eq!(
            object("[1,2]", &columns).unwrap_err().to_string(),
            "unknown format: a row of 2 values under 3 columns"
        );
        assert!(object("[1,2", &columns).is_err());
    }

    #[test]
    fn columns_without_names_or_with_endless_ones_are_no_columns() {
        assert_eq!(
            columns_of(br#"{"columns":[{"type":"string"}],"rows":"#),
            None
        );
        assert_eq!(columns_of(br#"{"rows":"#), None);
        assert_eq!(columns_of(b"{\xff\"rows\":"), None);
        let long = format!(
            "{{\"columns\":[\"{}\"],\"rows\":",
            "x".repeat(NAMES_BYTES_MAX)
        );
        assert_eq!(columns_of(long.as_bytes()), None);
    }
}
