//! Reading a policy, line by line.

use std::collections::{BTreeMap, BTreeSet};

use ledger::note::{KeyError, KeyKind, VerifierKey};

use super::{
    Group, Log, Member, POLICY_BYTES_MAX, POLICY_ITEMS_MAX, POLICY_LINES_MAX, POLICY_WITNESSES_MAX,
    Policy, Quorum, Witness,
};

/// The name that stands for no witness at all.
const NONE: &str = "none";

/// Why a policy is not read. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than any policy here.
    #[error("the policy has {bytes} bytes, more than {POLICY_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More lines than are read.
    #[error("the policy has more than {POLICY_LINES_MAX} lines")]
    TooManyLines,
    /// The last line has no end: a policy cut short could ask for less.
    #[error("the last line of the policy does not end with a newline: it may be cut short")]
    Unterminated,
    /// A line is not as the specification says.
    #[error("line {line} of the policy: {fault}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// No line says how many witnesses are asked for.
    #[error("the policy has no `quorum` line; `quorum none` asks for no witness")]
    NoQuorum,
}

/// What is wrong with a line. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// A control character other than tab, such as a carriage return.
    #[error("a control character; lines end with a newline alone")]
    Control,
    /// None of the four keywords.
    #[error("begins with `{word}`, not with log, witness, group or quorum")]
    Keyword {
        /// The first word.
        word: String,
    },
    /// Too few words, or too many.
    #[error("does not read `{form}`")]
    Form {
        /// How it should read.
        form: &'static str,
    },
    /// More items of a kind than are read.
    #[error("more than {most} lines of this kind")]
    TooMany {
        /// How many are read.
        most: usize,
    },
    /// The key cannot be read.
    #[error("{0}")]
    Key(KeyError),
    /// A log's key is not for notes, or a witness's not for cosignatures.
    #[error("the key is of the wrong kind: a log signs with kind 1, a witness with kind 4")]
    Kind,
    /// The same public key stands in two lines of one kind, perhaps under another name.
    #[error("the key is that of line {line} already")]
    SameKey {
        /// The line before.
        line: usize,
    },
    /// `none` is no name of a witness or group.
    #[error("`none` means no witness and names nothing else")]
    Reserved,
    /// Witnesses and groups share their names.
    #[error("the name `{name}` is given already")]
    SameName {
        /// The name.
        name: String,
    },
    /// Not `any`, `all` or a number from 1 to that of the members.
    #[error("asks for neither any, all nor a number from 1 to {members}")]
    Threshold {
        /// Number of members.
        members: usize,
    },
    /// Neither a witness nor a group further ahead.
    #[error("no witness or group `{name}` is defined above")]
    Unknown {
        /// The name.
        name: String,
    },
    /// A witness could count twice.
    #[error("`{name}` is a member of a group already")]
    MemberTwice {
        /// The name.
        name: String,
    },
    /// A second quorum.
    #[error("a second quorum line")]
    QuorumTwice,
}

pub(super) fn policy(text: &str) -> Result<Policy, PolicyError> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(PolicyError::TooLong { bytes: text.len() });
    }
    if text.bytes().filter(|byte| *byte == b'\n').count() > POLICY_LINES_MAX {
        return Err(PolicyError::TooManyLines);
    }
    let lines = match text.strip_suffix('\n') {
        Some(lines) => lines,
        None if text.is_empty() => text,
        None => return Err(PolicyError::Unterminated),
    };
    let mut reading = Reading::default();
    for (line, number) in lines.split('\n').zip(1..) {
        let read = reading.line(line, number);
        read.map_err(|fault| PolicyError::Line {
            line: number,
            fault,
        })?;
    }
    let quorum = reading.quorum.ok_or(PolicyError::NoQuorum)?;
    Ok(Policy {
        logs: reading.logs,
        witnesses: reading.witnesses,
        groups: reading.groups,
        quorum,
    })
}

/// What the lines so far said.
#[derive(Default)]
struct Reading<'t> {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Quorum>,
    names: BTreeMap<&'t str, Member>,
    members: BTreeSet<Member>,
    /// Line of each public key, logs and witnesses apart: by kind and key as written in a vkey.
    keys: BTreeMap<String, usize>,
}

impl<'t> Reading<'t> {
    fn line(&mut self, line: &'t str, number: usize) -> Result<(), LineFault> {
        if line
            .chars()
            .any(|one| one.is_ascii_control() && one != '\t')
        {
            return Err(LineFault::Control);
        }
        // only space and tab part words; other white space is part of a name
        let words: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", rest @ ..] => self.log(rest, number),
            ["witness", rest @ ..] => self.witness(rest, number),
            ["group", rest @ ..] => self.group(rest),
            ["quorum", rest @ ..] => self.quorum(rest),
            [word, ..] => {
                let word = (*word).to_owned();
                Err(LineFault::Keyword { word })
            }
        }
    }

    fn log(&mut self, words: &[&str], number: usize) -> Result<(), LineFault> {
        let (key, url) = match words {
            [key] => (key, None),
            [key, url] => (key, Some((*url).to_owned())),
            _ => {
                let form = "log KEY [URL]";
                return Err(LineFault::Form { form });
            }
        };
        expect_room(self.logs.len(), POLICY_ITEMS_MAX)?;
        let key = self.key(key, KeyKind::Ed25519, number)?;
        self.logs.push(Log { key, url });
        Ok(())
    }

    fn witness(&mut self, words: &[&'t str], number: usize) -> Result<(), LineFault> {
        let (name, key, url) = match words {
            [name, key] => (*name, key, None),
            [name, key, url] => (*name, key, Some((*url).to_owned())),
            _ => {
                let form = "witness NAME KEY [URL]";
                return Err(LineFault::Form { form });
            }
        };
        expect_room(self.witnesses.len(), POLICY_WITNESSES_MAX)?;
        let key = self.key(key, KeyKind::Cosignature, number)?;
        self.define(name, Member::Witness(self.witnesses.len()))?;
        let name = name.to_owned();
        self.witnesses.push(Witness { name, key, url });
        Ok(())
    }

    fn group(&mut self, words: &[&'t str]) -> Result<(), LineFault> {
        let [name, threshold, names @ ..] = words else {
            let form = "group NAME any|all|NUMBER MEMBER...";
            return Err(LineFault::Form { form });
        };
        expect_room(self.groups.len(), POLICY_ITEMS_MAX)?;
        let threshold = threshold_of(threshold, names.len()).ok_or(LineFault::Threshold {
            members: names.len(),
        })?;
        let mut members = Vec::with_capacity(names.len());
        for name in names {
            let member = self.known(name)?;
            if !self.members.insert(member) {
                let name = (*name).to_owned();
                return Err(LineFault::MemberTwice { name });
            }
            members.push(member);
        }
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group {
            name: (*name).to_owned(),
            threshold,
            members,
        });
        Ok(())
    }

    fn quorum(&mut self, words: &[&str]) -> Result<(), LineFault> {
        let [name] = words else {
            let form = "quorum NAME";
            return Err(LineFault::Form { form });
        };
        if self.quorum.is_some() {
            return Err(LineFault::QuorumTwice);
        }
        let quorum = if *name == NONE {
            Quorum::Nobody
        } else {
            Quorum::Of(self.known(name)?)
        };
        self.quorum = Some(quorum);
        Ok(())
    }

    fn key(&mut self, text: &str, kind: KeyKind, number: usize) -> Result<VerifierKey, LineFault> {
        let key: VerifierKey = text.parse().map_err(LineFault::Key)?;
        if key.kind() != kind {
            return Err(LineFault::Kind);
        }
        // behind name and id: base64 of kind and public key
        let shown = key.to_string();
        let public = shown.splitn(3, '+').last().unwrap_or_default();
        match self.keys.insert(public.to_owned(), number) {
            Some(line) => Err(LineFault::SameKey { line }),
            None => Ok(key),
        }
    }

    fn define(&mut self, name: &'t str, member: Member) -> Result<(), LineFault> {
        if name == NONE {
            return Err(LineFault::Reserved);
        }
        match self.names.insert(name, member) {
            Some(_) => {
                let name = name.to_owned();
                Err(LineFault::SameName { name })
            }
            None => Ok(()),
        }
    }

    fn known(&self, name: &str) -> Result<Member, LineFault> {
        let known = self.names.get(name).copied();
        known.ok_or_else(|| LineFault::Unknown {
            name: name.to_owned(),
        })
    }
}

fn expect_room(count: usize, most: usize) -> Result<(), LineFault> {
    (count < most)
        .then_some(())
        .ok_or(LineFault::TooMany { most })
}

/// How many of so many members are asked for; decimal, without sign or leading zeros.
fn threshold_of(text: &str, members: usize) -> Option<usize> {
    let number = match text {
        "any" => 1,
        "all" => members,
        _ => text
            .parse()
            .ok()
            .filter(|number: &usize| number.to_string() == text)?,
    };
    (1..=members).contains(&number).then_some(number)
}
