//! Opening, closing, cutting and joining spans.

use jiff::Timestamp;
use ledger::event::Position;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Span;

/// The moment of a change and the events that tell it.
pub(crate) struct When<'a> {
    pub(crate) at: Timestamp,
    pub(crate) evidence: &'a [Position],
}

/// Adds positions, keeping them ascending and once each.
pub(crate) fn cite(positions: &mut Vec<Position>, more: &[Position]) {
    positions.extend_from_slice(more);
    positions.sort_unstable();
    positions.dedup();
}

/// A span that opens and is not closed yet.
pub(crate) fn opened<T>(value: T, when: &When<'_>) -> Span<T> {
    let mut positions = when.evidence.to_vec();
    positions.sort_unstable();
    Span {
        value,
        from: when.at,
        to: None,
        opened: positions,
        closed: Vec::new(),
    }
}

fn open_like<T>(spans: &mut [Span<T>], same: impl Fn(&T) -> bool) -> Option<&mut Span<T>> {
    spans
        .iter_mut()
        .rev()
        .find(|span| span.to.is_none() && same(&span.value))
}

/// From now on this value holds in the place of the open one that is the `same` thing.
pub(crate) fn replace<T: PartialEq>(
    spans: &mut Vec<Span<T>>,
    value: T,
    when: &When<'_>,
    same: impl Fn(&T) -> bool,
) {
    if let Some(open) = open_like(spans, same) {
        if open.value == value || open.from >= when.at {
            open.value = value;
            cite(&mut open.opened, when.evidence);
            return;
        }
        open.to = Some(when.at);
        cite(&mut open.closed, when.evidence);
    }
    spans.push(opened(value, when));
}

/// This holds from now on; when it held already, what is newly told of it is added.
pub(crate) fn enrich<T: Serialize + DeserializeOwned>(
    spans: &mut Vec<Span<T>>,
    value: T,
    when: &When<'_>,
    same: impl Fn(&T) -> bool,
) {
    if let Some(open) = open_like(spans, same) {
        if let Some(merged) = overlaid(&open.value, &value) {
            open.value = merged;
        }
        cite(&mut open.opened, when.evidence);
        return;
    }
    spans.push(opened(value, when));
}

/// What matches holds no longer. A span of no length is dropped.
pub(crate) fn close<T>(spans: &mut Vec<Span<T>>, when: &When<'_>, matches: impl Fn(&T) -> bool) {
    let mut empty = false;
    for span in spans
        .iter_mut()
        .filter(|span| span.to.is_none() && matches(&span.value))
    {
        span.to = Some(when.at.max(span.from));
        cite(&mut span.closed, when.evidence);
        empty |= span.to == Some(span.from);
    }
    if empty {
        spans.retain(|span| span.to != Some(span.from));
    }
}

/// `base` with the fields of `over` laid over it.
fn overlaid<T: Serialize + DeserializeOwned>(base: &T, over: &T) -> Option<T> {
    let mut merged = serde_json::to_value(base).ok()?;
    overlay(&mut merged, &serde_json::to_value(over).ok()?);
    serde_json::from_value(merged).ok()
}

/// Lays `over` over `base`: objects field by field, anything else as a whole.
pub(crate) fn overlay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                overlay(base.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
        (base, over) => base.clone_from(over),
    }
}

/// The end of a span as a comparable instant.
fn end<T>(span: &Span<T>) -> Timestamp {
    span.to.unwrap_or(Timestamp::MAX)
}

/// The part in which both held, or `None`. It is closed by what closed first.
pub(crate) fn intersect<A, B, T>(a: &Span<A>, b: &Span<B>, value: T) -> Option<Span<T>> {
    let from = a.from.max(b.from);
    let until = end(a).min(end(b));
    if from >= until {
        return None;
    }
    let mut positions = a.opened.clone();
    cite(&mut positions, &b.opened);
    let mut closed = Vec::new();
    if a.to == Some(until) {
        cite(&mut closed, &a.closed);
    }
    if b.to == Some(until) {
        cite(&mut closed, &b.closed);
    }
    let to = if a.to.is_none() && b.to.is_none() {
        None
    } else {
        Some(until)
    };
    Some(Span {
        value,
        from,
        to,
        opened: positions,
        closed,
    })
}

/// Joins spans that overlap or touch; the values of joined spans are taken as equal.
pub(crate) fn union<T>(mut spans: Vec<Span<T>>) -> Vec<Span<T>> {
    spans.sort_by_key(|span| (span.from, end(span)));
    let mut joined: Vec<Span<T>> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from <= end(last) => {
                cite(&mut last.opened, &span.opened);
                if end(&span) > end(last) {
                    last.to = span.to;
                    last.closed = span.closed;
                } else if end(&span) == end(last) {
                    cite(&mut last.closed, &span.closed);
                }
            }
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, to: Option<i64>, opened: &[Position], closed: &[Position]) -> Span<()> {
        let at = |second| Timestamp::from_second(second).unwrap();
        Span {
            value: (),
            from: at(from),
            to: to.map(at),
            opened: opened.to_vec(),
            closed: closed.to_vec(),
        }
    }

    #[test]
    fn spans_that_overlap_or_touch_are_joined_and_cite_every_opening() {
        let joined = union(vec![
            span(5, Some(9), &[4], &[5]),
            span(0, Some(3), &[1], &[2]),
            span(3, Some(4), &[3], &[6]),
            span(6, None, &[8], &[]),
        ]);
        assert_eq!(
            joined,
            [span(0, Some(4), &[1, 3], &[6]), span(5, None, &[4, 8], &[])]
        );
    }

    #[test]
    fn what_both_held_is_closed_by_what_closed_first() {
        let a = span(0, Some(10), &[1], &[2]);
        assert_eq!(
            intersect(&a, &span(4, None, &[3], &[]), ()),
            Some(span(4, Some(10), &[1, 3], &[2]))
        );
        assert_eq!(intersect(&a, &span(10, None, &[3], &[]), ()), None);
    }

    #[test]
    fn laying_over_keeps_what_is_not_named() {
        let mut base = serde_json::json!({"a": {"b": 1, "c": null}, "d": [1]});
        overlay(
            &mut base,
            &serde_json::json!({"a": {"c": 2}, "d": [3], "e": true}),
        );
        assert_eq!(
            base,
            serde_json::json!({"a": {"b": 1, "c": 2}, "d": [3], "e": true})
        );
    }
}
