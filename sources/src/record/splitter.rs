//! Splits text into records, one piece of the file at a time.

use std::sync::Arc;

use memchr::memchr;

use super::excerpt::excerpt_of;
use super::fields::text_of;
use super::row::{self, Columns};
use super::scan::{End, LineEnds, Lines, MISMATCHED, ROWS, Scan, TABLES};
use super::{Batch, Content, Item};
use crate::outcome::Reason;

/// Bytes of a line that is not JSON which are shown.
const HEAD_BYTES_MAX: usize = 40;
/// Longest `@odata.context` that is kept.
const CONTEXT_BYTES_MAX: usize = 512;

/// Follows wrappers, records and the lines that are neither.
#[derive(Debug)]
pub(crate) struct Splitter {
    state: State,
    /// Open arrays of records, outermost first.
    frames: Vec<Frame>,
    lines: Lines,
    /// Whether the file does not start as JSON, so that a record is one line or none.
    text: Option<bool>,
    /// Whether all records outside arrays took one line each; `None` before the first.
    one_line_each: Option<bool>,
    limit: usize,
}

/// An open array of records.
#[derive(Debug)]
struct Frame {
    /// Whether it is a member of a wrapping object.
    wrapped: bool,
    line: u64,
    column: u64,
    context: Option<Arc<str>>,
    /// Whether its elements are tables.
    tables: bool,
    /// Columns of its elements, which are rows.
    columns: Option<Columns>,
}

#[derive(Debug)]
enum State {
    /// Before a record.
    Between,
    /// Within a record.
    Record(Box<Scan>),
    /// Within an array element that is no object.
    Scalar {
        line: u64,
        in_string: bool,
        started: bool,
    },
    /// Within a line that starts no record.
    Line { line: u64, head: Vec<u8> },
    /// After a broken record, to the end of the line. With a column: to the next line that starts
    /// an object there or before.
    Skip { column: Option<u64> },
    /// At the start of a line while looking for the end of a broken record.
    SkipLine { column: u64 },
}

impl Splitter {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: State::Between,
            frames: Vec::new(),
            lines: Lines {
                line: 1,
                offset: 0,
                start: 0,
                blank: true,
            },
            text: None,
            one_line_each: None,
            limit,
        }
    }

    /// Splits a piece until the batch is full; returns how many bytes were used.
    pub(crate) fn push(&mut self, piece: &[u8], batch: &mut Batch) -> usize {
        let mut used = 0;
        while let Some(rest) = piece.get(used..).filter(|rest| !rest.is_empty()) {
            let step = self.step(rest, batch);
            self.lines.offset += u64::try_from(step).unwrap_or(0);
            used += step;
            if batch.is_full() && self.is_between() {
                break;
            }
        }
        used
    }

    /// Whether no record is half in the batch.
    pub(crate) fn is_between(&self) -> bool {
        !matches!(&self.state, State::Record(scan) if scan.keep)
    }

    /// The file ended.
    pub(crate) fn finish(&mut self, batch: &mut Batch) {
        match std::mem::replace(&mut self.state, State::Between) {
            State::Record(scan) => {
                drop_bytes(&scan, batch);
                let reason = self.too_long(&scan).unwrap_or(Reason::CutOff);
                reject(scan.line, reason, batch);
            }
            State::Scalar { line, .. } => reject(line, not_an_object(), batch),
            State::Line { line, head } => reject(line, not_json(&head), batch),
            State::Between if !self.frames.is_empty() => {
                reject(self.lines.line, Reason::CutOff, batch);
            }
            State::Between | State::Skip { .. } | State::SkipLine { .. } => {}
        }
        self.frames.clear();
    }

    fn step(&mut self, rest: &[u8], batch: &mut Batch) -> usize {
        match std::mem::replace(&mut self.state, State::Between) {
            State::Between => self.between(rest, batch),
            State::Record(scan) => self.record(scan, rest, batch),
            State::Scalar {
                line,
                in_string,
                started,
            } => self.scalar((line, in_string, started), rest, batch),
            State::Line { line, head } => self.line(line, head, rest, batch),
            State::Skip { column } => self.skip(column, rest),
            State::SkipLine { column } => self.skip_line(column, rest),
        }
    }

    fn between(&mut self, rest: &[u8], batch: &Batch) -> usize {
        let Some(&byte) = rest.first() else { return 0 };
        let line = self.lines.line;
        let column = self.lines.column(0);
        match byte {
            b' ' | b'\t' | b'\r' => return 1,
            b'\n' => {
                self.lines.newline(0);
                return 1;
            }
            _ => {}
        }
        let text = *self.text.get_or_insert(!matches!(byte, b'{' | b'['));
        let outside = self.frames.is_empty();
        self.lines.blank = false;
        match byte {
            b',' if !text => 1,
            b'[' if outside && !text => {
                self.frames.push(Frame {
                    wrapped: false,
                    line,
                    column,
                    context: None,
                    tables: false,
                    columns: None,
                });
                1
            }
            b']' if !outside => {
                self.close();
                1
            }
            b'{' | b'[' if byte == b'{' || !outside => {
                let start = batch.bytes.len();
                let mut scan = Scan::new(start, line, column);
                scan.element = !outside;
                self.state = State::Record(Box::new(scan));
                0
            }
            _ if outside => {
                self.state = State::Line {
                    line,
                    head: Vec::new(),
                };
                0
            }
            _ => {
                self.state = State::Scalar {
                    line,
                    in_string: false,
                    started: false,
                };
                0
            }
        }
    }

    /// Closes the innermost array.
    fn close(&mut self) {
        if let Some(frame) = self.frames.pop().filter(|frame| frame.wrapped) {
            let tail = Scan::tail(frame.line, frame.column, frame.context);
            self.state = State::Record(Box::new(tail));
        }
    }

    fn record(&mut self, mut scan: Box<Scan>, rest: &[u8], batch: &mut Batch) -> usize {
        let ends = if self.text == Some(true) {
            LineEnds::Stop
        } else if self.frames.is_empty() && self.one_line_each == Some(true) {
            LineEnds::Records
        } else {
            LineEnds::Space
        };
        let end = scan.follow(rest, &mut self.lines, ends);
        let used = match end {
            End::More => rest.len(),
            End::Done(at)
            | End::Array(at)
            | End::CutInString(at)
            | End::CutBefore(at)
            | End::Broken(at, _) => at,
        };
        self.keep(&mut scan, rest.get(..used).unwrap_or_default(), batch);
        match end {
            End::More => self.state = State::Record(scan),
            End::Done(_) if scan.mismatched => self.give_up(&scan, batch),
            End::Done(_) => self.done(&scan, batch),
            End::Array(_) => {
                self.array(scan, batch);
                return used + 1;
            }
            End::CutBefore(_) => self.give_up(&scan, batch),
            End::CutInString(_) => {
                self.broken(&scan, Reason::CutOff, batch);
            }
            End::Broken(_, detail) => {
                self.broken(&scan, not_json_because(detail), batch);
            }
        }
        used
    }

    /// Keeps bytes of a record, or drops it when it becomes too long.
    fn keep(&self, scan: &mut Scan, bytes: &[u8], batch: &mut Batch) {
        scan.length = scan.length.saturating_add(bytes.len());
        if scan.keep && scan.length > self.limit {
            scan.keep = false;
            batch.bytes.truncate(scan.start);
        }
        if scan.keep {
            batch.bytes.extend_from_slice(bytes);
        }
    }

    fn done(&mut self, scan: &Scan, batch: &mut Batch) {
        if self.frames.is_empty() {
            let one_line = scan.line == self.lines.line;
            self.one_line_each = Some(one_line && self.one_line_each != Some(false));
        }
        if scan.wrapper {
            return;
        }
        if let Some(reason) = self.too_long(scan) {
            return reject(scan.line, reason, batch);
        }
        let frame = self.frames.last();
        batch.items.push(Item {
            line: scan.line,
            context: frame.and_then(|frame| frame.context.clone()),
            columns: frame.and_then(|frame| frame.columns.clone()),
            content: Content::Record(scan.start..batch.bytes.len()),
        });
    }

    /// The record turns out to wrap an array of records, unless it is itself such a record.
    fn array(&mut self, mut scan: Box<Scan>, batch: &mut Batch) {
        let mut columns = None;
        if scan.is_named(ROWS) {
            columns = self.columns(&scan, batch);
            if columns.is_none() {
                scan.rows_are_bare = true;
                return self.member(scan, batch);
            }
        } else if let Some(index) = self.frames.iter().position(|frame| frame.wrapped) {
            let outer = self
                .frames
                .get(index)
                .map(|frame| (frame.line, frame.column));
            match outer {
                // The wrapper before this one was cut off in the middle.
                Some((line, column)) if scan.line > line && scan.column <= column => {
                    self.frames.truncate(index);
                    reject(line, Reason::CutOff, batch);
                }
                _ => return self.member(scan, batch),
            }
        }
        let context = scan.context.clone().or_else(|| {
            let kept = batch.bytes.get(scan.start..).filter(|_| scan.keep)?;
            context_of(kept).map(Arc::from)
        });
        drop_bytes(&scan, batch);
        self.frames.push(Frame {
            wrapped: true,
            line: scan.line,
            column: scan.column,
            context,
            tables: scan.is_named(TABLES),
            columns,
        });
    }

    /// The array is a member of the record like any other.
    fn member(&mut self, mut scan: Box<Scan>, batch: &mut Batch) {
        scan.enter_array();
        self.keep(&mut scan, b"[", batch);
        self.state = State::Record(scan);
    }

    /// The columns of the table that the record is, where tables are. They are looked for once: a
    /// record that repeats its rows without end must not be read as often.
    fn columns(&self, scan: &Scan, batch: &Batch) -> Option<Columns> {
        let frame = self.frames.last();
        let here = frame.is_none_or(|frame| frame.tables || !frame.wrapped);
        let start = batch.bytes.get(scan.start..)?;
        (here && scan.keep && !scan.rows_are_bare)
            .then(|| row::columns_of(start))
            .flatten()
    }

    /// Rejects a record whose end is known: reading goes on right after it.
    fn give_up(&self, scan: &Scan, batch: &mut Batch) {
        drop_bytes(scan, batch);
        let reason = if scan.mismatched {
            not_json_because(MISMATCHED)
        } else {
            Reason::CutOff
        };
        reject(scan.line, self.too_long(scan).unwrap_or(reason), batch);
    }

    /// Rejects a record and looks for where the next one can start.
    fn broken(&mut self, scan: &Scan, reason: Reason, batch: &mut Batch) {
        drop_bytes(scan, batch);
        let reason = self.too_long(scan).unwrap_or(reason);
        reject(scan.line, reason, batch);
        let one_line = scan.line == self.lines.line || self.text == Some(true);
        self.state = State::Skip {
            column: (!one_line).then_some(scan.column),
        };
    }

    fn too_long(&self, scan: &Scan) -> Option<Reason> {
        (!scan.wrapper && scan.length > self.limit).then_some(Reason::TooLong {
            bytes: scan.length,
            limit: self.limit,
        })
    }

    fn skip(&mut self, column: Option<u64>, rest: &[u8]) -> usize {
        let Some(at) = memchr(b'\n', rest) else {
            self.state = State::Skip { column };
            return rest.len();
        };
        self.lines.newline(at);
        if let Some(column) = column {
            self.state = State::SkipLine { column };
        }
        at + 1
    }

    fn skip_line(&mut self, column: u64, rest: &[u8]) -> usize {
        let here = self.lines.column(0);
        match rest.first() {
            Some(b' ' | b'\t' | b'\r') => {
                self.state = State::SkipLine { column };
                1
            }
            Some(b'{') if here <= column => 0,
            Some(b']') if here < column && !self.frames.is_empty() => 0,
            _ => {
                self.state = State::Skip {
                    column: Some(column),
                };
                0
            }
        }
    }

    fn scalar(
        &mut self,
        (line, mut in_string, mut started): (u64, bool, bool),
        rest: &[u8],
        batch: &mut Batch,
    ) -> usize {
        for (at, byte) in rest.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b',' | b']' | b'{' | b'[' => started && !in_string,
                _ => false,
            };
            if ends {
                reject(line, not_an_object(), batch);
                return at;
            }
            in_string ^= *byte == b'"';
            started = true;
        }
        self.state = State::Scalar {
            line,
            in_string,
            started,
        };
        rest.len()
    }

    fn line(&mut self, line: u64, mut head: Vec<u8>, rest: &[u8], batch: &mut Batch) -> usize {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let room = HEAD_BYTES_MAX.saturating_sub(head.len()).min(end);
        head.extend_from_slice(rest.get(..room).unwrap_or_default());
        if end == rest.len() {
            self.state = State::Line { line, head };
        } else {
            reject(line, not_json(&head), batch);
        }
        end
    }
}

fn reject(line: u64, reason: Reason, batch: &mut Batch) {
    batch.items.push(Item {
        line,
        context: None,
        columns: None,
        content: Content::Rejected(reason),
    });
}

/// Takes the bytes of a record that is given up out of the batch; it is the last one there.
fn drop_bytes(scan: &Scan, batch: &mut Batch) {
    if scan.keep {
        batch.bytes.truncate(scan.start);
    }
}

fn not_an_object() -> Reason {
    Reason::UnknownShape {
        detail: "an array element that is not an object".to_owned(),
    }
}

fn not_json_because(detail: &str) -> Reason {
    Reason::NotJson {
        detail: detail.to_owned(),
    }
}

fn not_json(head: &[u8]) -> Reason {
    let text = String::from_utf8_lossy(head);
    Reason::NotJson {
        detail: format!(
            "a line that starts with `{}`",
            excerpt_of(text.trim_end(), HEAD_BYTES_MAX)
        ),
    }
}

/// `@odata.context` in the start of a wrapping object.
fn context_of(start: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(start).ok()?;
    let (_, after) = text.split_once("\"@odata.context\"")?;
    let value = after.trim_start().strip_prefix(':')?.trim_start();
    let end = value.get(1..)?.find('"')? + 2;
    let context = text_of(value.get(..end)?)?;
    (context.len() <= CONTEXT_BYTES_MAX).then(|| context.into_owned())
}
