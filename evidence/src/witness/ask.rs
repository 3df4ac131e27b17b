//! One witness: what it is asked, and what its answer is worth.

use std::fmt::Write as _;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::note::{Note, NoteError, Signature};
use ledger::tree::TreeHash;
use ureq::Agent;
use ureq::http::Uri;

use super::Asking;
use super::address::{AddressError, add_checkpoint};
use super::post::{Reply, post};
use crate::http::agent;
use crate::policy::Witness;

/// Most hashes of a proof that may be sent (tlog-witness, "add-checkpoint").
const PROOF_HASHES_MAX: usize = 63;

/// Why a witness did not cosign. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum AskError<E> {
    /// The policy does not say where it is asked.
    #[error("the policy has no address for the witness")]
    NoAddress,
    /// Nobody is asked at such an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No thread could be had.
    #[error("no thread could be started to ask the witness")]
    Thread(#[source] std::io::Error),
    /// The consistency proof cannot be had.
    #[error("the proof for the witness cannot be made")]
    Proof(#[source] E),
    /// The consistency proof is longer than any that is true.
    #[error("the proof for the witness has {hashes} hashes, more than {PROOF_HASHES_MAX}")]
    ProofLength {
        /// Hashes in it.
        hashes: usize,
    },
    /// No answer in the time it was given; ask again later.
    #[error("the witness did not answer in time")]
    TimedOut,
    /// It cannot be reached, or does not speak HTTP.
    #[error("the witness cannot be reached")]
    Unreachable(#[source] Box<ureq::Error>),
    /// It sends elsewhere; the policy should have the new address.
    #[error("the witness sends to another address (status {status}), which is not followed")]
    Redirected {
        /// HTTP status.
        status: u16,
    },
    /// 400: it finds the request malformed.
    #[error("the witness finds the request malformed (400)")]
    BadRequest,
    /// 403: it does not know the key the log signed with.
    #[error("the witness does not trust the key of this log (403); its operator adds keys")]
    UnknownKey,
    /// 404: it does not know the log.
    #[error("the witness does not know this log (404); its operator adds logs")]
    UnknownLog,
    /// It cosigned more entries than there are.
    #[error(
        "the witness cosigned {cosigned} entries already and this checkpoint has {size}: it is of \
         an old copy, or of another history under the same name"
    )]
    Behind {
        /// The size it cosigned.
        cosigned: u64,
        /// Size of the checkpoint.
        size: u64,
    },
    /// 422, or 409 at the same size: what it cosigned is not the beginning of this.
    #[error(
        "what the witness cosigned at {cosigned} entries is not the beginning of this checkpoint: \
         the log has two histories"
    )]
    Forked {
        /// The size it cosigned.
        cosigned: u64,
    },
    /// 409 again after a proof from the very size it told.
    #[error("the witness says {cosigned} entries after another size a moment ago; try later")]
    Conflict {
        /// The size it told last.
        cosigned: u64,
    },
    /// 429 or 5xx.
    #[error("the witness cannot cosign now (status {status}); try later")]
    Busy {
        /// HTTP status.
        status: u16,
    },
    /// A status that tlog-witness does not know.
    #[error("the witness answers with the unexpected status {status}")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// The answer is longer than any note.
    #[error("the answer of the witness is too long")]
    TooLong,
    /// The answer is neither signature lines nor a size.
    #[error("the answer of the witness is malformed")]
    Malformed,
    /// It says it cosigned, and did not.
    #[error(transparent)]
    Lying(#[from] Lie),
}

/// How a witness that answers 200 did not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// No line by its key.
    #[error("the witness answers without a cosignature by its key")]
    Absent,
    /// Not a signature of this checkpoint.
    #[error("the cosignature of the witness does not hold for this checkpoint")]
    Forged,
    /// A time too far from ours.
    #[error("the witness says it cosigned at {time}, which is too far from {now}")]
    Time {
        /// What it says, in seconds since 1970.
        time: u64,
        /// Our time, in seconds since 1970.
        now: u64,
    },
}

/// A cosignature that holds; none when the note has it already.
pub(super) struct Cosigned {
    pub(super) signature: Option<Signature>,
    pub(super) time: u64,
}

/// What came of asking one witness.
pub(super) struct Learnt<E> {
    pub(super) outcome: Result<Cosigned, AskError<E>>,
    /// The size it cosigned last, when it told.
    pub(super) size: Option<u64>,
}

/// What every witness is asked.
pub(super) struct Question<'q> {
    /// Text of the checkpoint.
    pub(super) text: &'q str,
    /// The checkpoint as it is sent.
    pub(super) sent: String,
    /// Size of the checkpoint.
    pub(super) size: u64,
    pub(super) asking: &'q Asking,
}

/// A consistency proof that is wanted of the thread that collects.
pub(super) struct Wanted<E> {
    /// The size it starts at.
    pub(super) old: u64,
    pub(super) reply: Sender<Result<Vec<TreeHash>, E>>,
}

/// Where a thread gets its proofs.
pub(super) struct Prover<E>(pub(super) Sender<Wanted<E>>);

impl<E> Prover<E> {
    fn prove(&self, old: u64) -> Result<Vec<TreeHash>, AskError<E>> {
        let (reply, proof) = channel();
        // nobody hears only when the thread that collects is panicking
        let _heard = self.0.send(Wanted { old, reply });
        let proof = proof.recv().or(Err(AskError::TimedOut))?;
        proof.map_err(AskError::Proof)
    }
}

/// An answer that is understood.
enum Said {
    Cosigned(Cosigned),
    /// The size it cosigned last is another than it was told.
    Size(u64),
}

impl Question<'_> {
    /// Asks a witness that cosigned `known` entries last, as far as is known.
    pub(super) fn ask<E>(&self, witness: &Witness, known: u64, prover: &Prover<E>) -> Learnt<E> {
        let mut talk = match Talk::start(self, witness, prover) {
            Ok(talk) => talk,
            Err(refused) => {
                return Learnt {
                    outcome: Err(refused),
                    size: None,
                };
            }
        };
        let outcome = talk.ask_twice(known);
        let size = talk.learnt;
        Learnt { outcome, size }
    }
}

/// The talk with one witness.
struct Talk<'t, E> {
    question: &'t Question<'t>,
    witness: &'t Witness,
    prover: &'t Prover<E>,
    line: Line,
    /// The size it cosigned last, when it told.
    learnt: Option<u64>,
}

impl<'t, E> Talk<'t, E> {
    fn start(
        question: &'t Question<'t>,
        witness: &'t Witness,
        prover: &'t Prover<E>,
    ) -> Result<Self, AskError<E>> {
        let prefix = witness.url.as_deref().ok_or(AskError::NoAddress)?;
        let line = Line {
            agent: agent(),
            address: add_checkpoint(prefix)?,
            watch: Watch::start(question.asking.timeout),
        };
        Ok(Self {
            question,
            witness,
            prover,
            line,
            learnt: None,
        })
    }

    /// At most two requests: when the witness tells another size, one more from there.
    fn ask_twice(&mut self, known: u64) -> Result<Cosigned, AskError<E>> {
        // a size beyond ours may be wrong: the witness tells which it is
        let is_ours = known <= self.question.size;
        let first = if is_ours { known } else { 0 };
        let told = match self.ask_once(first)? {
            Said::Cosigned(cosigned) => return Ok(cosigned),
            Said::Size(told) => told,
        };
        self.expect_provable(told, first)?;
        match self.ask_once(told)? {
            Said::Cosigned(cosigned) => Ok(cosigned),
            Said::Size(again) => {
                self.expect_provable(again, told)?;
                Err(AskError::Conflict { cosigned: again })
            }
        }
    }

    /// Whether a proof can start at a size that was told instead of the one that was sent.
    fn expect_provable(&self, told: u64, sent: u64) -> Result<(), AskError<E>> {
        let size = self.question.size;
        if told > size {
            let cosigned = told;
            return Err(AskError::Behind { cosigned, size });
        }
        match told == sent {
            // the sizes agree, so what it refuses is the root
            true if told == size => Err(AskError::Forked { cosigned: told }),
            true => Err(AskError::Malformed),
            false => Ok(()),
        }
    }

    fn ask_once(&mut self, old: u64) -> Result<Said, AskError<E>> {
        let body = self.body(old)?;
        let Reply { status, body } = self.line.post(&body)?;
        match status {
            200 => {
                let cosigned = self.cosigned(&body)?;
                self.learnt = Some(self.question.size);
                Ok(Said::Cosigned(cosigned))
            }
            300..400 => Err(AskError::Redirected { status }),
            400 => Err(AskError::BadRequest),
            403 => Err(AskError::UnknownKey),
            404 => Err(AskError::UnknownLog),
            409 => match told_size(&body) {
                Some(told) => {
                    self.learnt = Some(told);
                    Ok(Said::Size(told))
                }
                // a root that differs at one size needs no size in the answer
                None if old == self.question.size => Err(AskError::Forked { cosigned: old }),
                None => Err(AskError::Malformed),
            },
            422 => Err(AskError::Forked { cosigned: old }),
            429 | 500..600 => Err(AskError::Busy { status }),
            _ => Err(AskError::Status { status }),
        }
    }

    /// The request: old size, proof, empty line, checkpoint.
    fn body(&self, old: u64) -> Result<String, AskError<E>> {
        let proof = if old == 0 || old == self.question.size {
            Vec::new()
        } else {
            self.prover.prove(old)?
        };
        if proof.len() > PROOF_HASHES_MAX {
            let hashes = proof.len();
            return Err(AskError::ProofLength { hashes });
        }
        let mut body = format!("old {old}\n");
        for hash in proof {
            let _written = writeln!(body, "{}", STANDARD.encode(hash));
        }
        body.push('\n');
        body.push_str(&self.question.sent);
        Ok(body)
    }

    /// The witness's own line of an answer, which must hold for our text and time. Lines by other
    /// keys are passed over, as the specification asks.
    fn cosigned(&self, body: &[u8]) -> Result<Cosigned, AskError<E>> {
        let text = self.question.text;
        let lines = std::str::from_utf8(body).or(Err(AskError::Malformed))?;
        let answer = format!("{text}\n{lines}");
        let answer = Note::parse(answer.as_bytes()).or(Err(AskError::Malformed))?;
        if answer.text() != text {
            return Err(AskError::Malformed);
        }
        let signed = match answer.verify(std::slice::from_ref(&self.witness.key)) {
            Err(NoteError::Unsigned) => return Err(Lie::Absent.into()),
            signed => signed.or(Err(Lie::Forged))?,
        };
        let time = signed.first().and_then(|signed| signed.time);
        let time = time.ok_or(Lie::Absent)?;
        let now = self.question.asking.now;
        if time.abs_diff(now) > self.question.asking.tolerance_seconds {
            return Err(Lie::Time { time, now }.into());
        }
        let id = self.witness.key.id();
        let mut lines = answer.signatures().iter();
        let line = lines.find(|line| line.name == self.witness.key.name() && line.key_id == id);
        let signature = line.cloned();
        Ok(Cosigned { signature, time })
    }
}

/// Where one witness is asked, and how long still.
struct Line {
    agent: Agent,
    address: Uri,
    watch: Watch,
}

impl Line {
    fn post<E>(&self, body: &str) -> Result<Reply, AskError<E>> {
        let left = self.watch.left().ok_or(AskError::TimedOut)?;
        let reply = post(&self.agent, &self.address, body, left);
        reply.map_err(|cause| match cause {
            ureq::Error::Timeout(_) => AskError::TimedOut,
            ureq::Error::BodyExceedsLimit(_) => AskError::TooLong,
            other => AskError::Unreachable(Box::new(other)),
        })
    }
}

/// How much of a time is left. It tells no time of day.
struct Watch {
    started: Instant,
    time: Duration,
}

impl Watch {
    #[expect(
        clippy::disallowed_methods,
        reason = "both requests to a witness share one time, and what is left is measured here"
    )]
    fn start(time: Duration) -> Self {
        let started = Instant::now();
        Self { started, time }
    }

    fn left(&self) -> Option<Duration> {
        let left = self.time.checked_sub(self.started.elapsed())?;
        (!left.is_zero()).then_some(left)
    }
}

/// A decimal number without leading zeros, and a newline.
fn told_size(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?.strip_suffix('\n')?;
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}
