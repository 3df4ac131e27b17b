//! The brackets and strings of one record, followed byte by byte.

use std::sync::Arc;

use memchr::memchr3;

/// Deepest nesting that is followed; the JSON reader after this stops there too.
const DEPTH_MAX: u32 = 128;
/// What is wrong with a record whose brackets do not fit.
pub(crate) const MISMATCHED: &str = "a closing bracket does not match";
/// Array of tables in a query result.
pub(crate) const TABLES: &[u8] = b"tables";
/// Array of rows in a table, after its columns.
pub(crate) const ROWS: &[u8] = b"rows";
/// Longest name that can be that of a wrapped array.
const NAME_BYTES_MAX: usize = 8;

/// A record being read.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one record; no combination is excluded"
)]
pub(crate) struct Scan {
    /// Where its bytes start in the batch.
    pub start: usize,
    /// 1-based line where it starts.
    pub line: u64,
    /// 0-based column where it starts, in bytes.
    pub column: u64,
    /// Bytes seen so far.
    pub length: usize,
    /// Whether its bytes are kept. Not when it is too long, nor the tail of a wrapper.
    pub keep: bool,
    /// Whether it turned out to be an object that wraps records, of which this is the rest.
    pub wrapper: bool,
    /// Whether it was already seen to have rows but no columns before them.
    pub rows_are_bare: bool,
    /// `@odata.context` of the wrapper.
    pub context: Option<Arc<str>>,
    /// Whether it is an element of an array, so that its end is looked for after an error on its
    /// line.
    pub element: bool,
    /// Whether a closing bracket did not match.
    pub mismatched: bool,
    depth: u32,
    /// Kinds of the open brackets, innermost lowest: 1 is an object.
    kinds: u128,
    place: Place,
    /// Last byte outside strings that is not white space.
    last: u8,
    /// Start of the last string at depth one.
    name: Vec<u8>,
}

/// Where in a record the next byte is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    /// Within a string.
    String,
    /// After a backslash.
    Escape,
}

/// Where the lines are.
#[derive(Debug)]
pub(crate) struct Lines {
    /// 1-based number of the current line.
    pub line: u64,
    /// Bytes before the current piece.
    pub offset: u64,
    /// Offset of the first byte of the current line.
    pub start: u64,
    /// Whether the current line has had only white space so far.
    pub blank: bool,
}

impl Lines {
    /// A line ended at this index of the current piece.
    pub(crate) fn newline(&mut self, at: usize) {
        self.line += 1;
        self.start = self.absolute(at) + 1;
        self.blank = true;
    }

    /// 0-based column of this index of the current piece.
    pub(crate) fn column(&self, at: usize) -> u64 {
        self.absolute(at).saturating_sub(self.start)
    }

    fn absolute(&self, at: usize) -> u64 {
        self.offset
            .saturating_add(u64::try_from(at).unwrap_or(u64::MAX))
    }
}

/// How far a piece took a record. Indices are those of the piece.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Not to its end.
    More,
    /// To its end, just before this index.
    Done(usize),
    /// To the opening bracket of an array of records at this index.
    Array(usize),
    /// It breaks off before this index: a line ends within a string.
    CutInString(usize),
    /// It breaks off before this index, where another record starts.
    CutBefore(usize),
    /// It cannot be JSON, seen at this index.
    Broken(usize, &'static str),
}

/// What a line end means within a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// White space.
    Space,
    /// White space, but an object at the start of a line is the next record.
    Records,
    /// The end of the record.
    Stop,
}

impl Scan {
    /// A record that starts here; its bytes go to `start` in the batch.
    pub(crate) fn new(start: usize, line: u64, column: u64) -> Self {
        Self {
            start,
            line,
            column,
            keep: true,
            ..Self::default()
        }
    }

    /// The rest of a wrapping object after one of its arrays.
    pub(crate) fn tail(line: u64, column: u64, context: Option<Arc<str>>) -> Self {
        Self {
            line,
            column,
            context,
            wrapper: true,
            depth: 1,
            kinds: 1,
            last: b']',
            ..Self::default()
        }
    }

    /// Follows the record through a piece of the file.
    pub(crate) fn follow(&mut self, piece: &[u8], lines: &mut Lines, ends: LineEnds) -> End {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            if self.place != Place::Outside {
                match self.string(piece, at) {
                    Ok(next) => at = next,
                    Err(end) => return end,
                }
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' if ends == LineEnds::Stop => {
                    return End::Broken(at, "the line is not a whole object");
                }
                b'\n' if self.mismatched => return End::Broken(at, MISMATCHED),
                b'\n' => lines.newline(at),
                b'{' | b'[' => {
                    if let Some(end) = self.open(byte, at, lines, ends) {
                        return end;
                    }
                    lines.blank = false;
                }
                b'}' | b']' => {
                    if !self.close(byte == b'}', lines) {
                        return End::Broken(at, MISMATCHED);
                    }
                    self.last = byte;
                    lines.blank = false;
                    if self.depth == 0 {
                        return End::Done(at + 1);
                    }
                }
                _ => {
                    if byte == b'"' {
                        self.place = Place::String;
                        self.name.clear();
                    }
                    self.last = byte;
                    lines.blank = false;
                }
            }
            at += 1;
        }
        End::More
    }

    /// A closing bracket. In an element of an array, one that does not match closes what is open
    /// within the bracket it belongs to, or nothing; elsewhere `false`.
    fn close(&mut self, object: bool, lines: &Lines) -> bool {
        let is_match = (self.kinds & 1 == 1) == object;
        if !is_match && !self.is_on_line_of_array(lines) {
            return false;
        }
        self.mismatched |= !is_match;
        let (mut kinds, mut depth) = (self.kinds, self.depth);
        while depth > 0 {
            let found = (kinds & 1 == 1) == object;
            kinds >>= 1;
            depth -= 1;
            if found {
                (self.kinds, self.depth) = (kinds, depth);
                break;
            }
        }
        true
    }

    /// Whether this is an element of an array that is still on its first line.
    fn is_on_line_of_array(&self, lines: &Lines) -> bool {
        self.element && self.line == lines.line
    }

    /// Within a string from `at`: the index after its end or after the piece.
    fn string(&mut self, piece: &[u8], at: usize) -> Result<usize, End> {
        let rest = piece.get(at..).unwrap_or_default();
        if self.place == Place::Escape {
            if rest.first() == Some(&b'\n') {
                return Err(End::CutInString(at));
            }
            self.place = Place::String;
            if self.name.len() <= NAME_BYTES_MAX {
                self.name.push(b'\\');
            }
            return Ok(at + 1);
        }
        let found = memchr3(b'"', b'\\', b'\n', rest);
        let inside = rest.get(..found.unwrap_or(rest.len())).unwrap_or_default();
        if self.depth == 1 && self.name.len() <= NAME_BYTES_MAX {
            let some = inside.len().min(NAME_BYTES_MAX + 1);
            self.name
                .extend_from_slice(inside.get(..some).unwrap_or_default());
        }
        let Some(found) = found else {
            return Ok(piece.len());
        };
        match rest.get(found) {
            Some(b'\n') => return Err(End::CutInString(at + found)),
            Some(b'\\') => self.place = Place::Escape,
            _ => self.place = Place::Outside,
        }
        Ok(at + found + 1)
    }

    /// An opening bracket; tells the end when it does not open a part of this record.
    fn open(&mut self, byte: u8, at: usize, lines: &Lines, ends: LineEnds) -> Option<End> {
        if byte == b'{'
            && lines.blank
            && lines.line != self.line
            && lines.column(at) <= self.column
            && (ends == LineEnds::Records || !self.takes_a_value())
        {
            return Some(End::CutBefore(at));
        }
        // A member has a name: what starts here is the next element, whatever this one lacks.
        if byte == b'{'
            && self.last == b','
            && self.kinds & 1 == 1
            && self.is_on_line_of_array(lines)
        {
            return Some(End::CutBefore(at));
        }
        if byte == b'['
            && !self.mismatched
            && self.depth == 1
            && self.last == b':'
            && self.is_wrapping_name()
        {
            return Some(End::Array(at));
        }
        if self.depth >= DEPTH_MAX {
            return Some(End::Broken(at, "nested too deeply"));
        }
        self.depth += 1;
        self.kinds = (self.kinds << 1) | u128::from(byte == b'{');
        self.last = byte;
        None
    }

    /// Whether the grammar lets a value start here.
    fn takes_a_value(&self) -> bool {
        self.last == b':' || (self.kinds & 1 == 0 && matches!(self.last, b'[' | b','))
    }

    fn is_wrapping_name(&self) -> bool {
        [b"value".as_slice(), b"records", b"events", TABLES, ROWS]
            .iter()
            .any(|name| self.is_named(name))
    }

    /// Whether the member being read has this name, in any case.
    pub(crate) fn is_named(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The array of records that just opened is part of this record after all.
    pub(crate) fn enter_array(&mut self) {
        self.depth += 1;
        self.kinds <<= 1;
        self.last = b'[';
    }
}
