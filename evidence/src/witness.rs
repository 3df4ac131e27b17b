//! Asking witnesses for cosignatures (C2SP tlog-witness v1, `add-checkpoint`).
//!
//! A witness cosigns a checkpoint when it extends the one it cosigned before. That nobody was told
//! otherwise is worth what the witnesses of the policy are worth; what a witness answers is checked
//! before it counts, and none can make the caller wait longer than the time it was given.
//! Deliberately not here: being a witness, and where sizes are kept between calls.

mod address;
mod ask;
mod post;
mod sizes;

use std::time::Duration;

use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::tree::TreeHash;

use crate::policy::{JudgeError, Judged, Policy, Witness};
use ask::{Cosigned, Learnt, Prover, Question, Wanted};

pub use address::AddressError;
pub use ask::{AskError, Lie};
pub use sizes::WitnessSizes;

/// How long one witness is given when nothing else is said.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// How far, in seconds, the time of a cosignature may be from ours when nothing else is said: what
/// Kerberos allows between clocks (RFC 4120, section 5.5.1).
pub const TOLERANCE_SECONDS: u64 = 300;

/// How witnesses are asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// The time now, in seconds since 1970.
    pub now: u64,
    /// How far the time of a cosignature may be from it, in seconds, either way.
    pub tolerance_seconds: u64,
    /// How long one witness is given in all.
    pub timeout: Duration,
    /// What the answer must reach.
    pub require: Require,
}

impl Asking {
    /// Fails closed, with the usual time and tolerance.
    pub fn at(now: u64) -> Self {
        Self {
            now,
            tolerance_seconds: TOLERANCE_SECONDS,
            timeout: TIMEOUT,
            require: Require::Quorum,
        }
    }
}

/// What asking must reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Require {
    /// The quorum of the policy; anything less is an error.
    Quorum,
    /// Whatever can be had.
    Nothing,
}

/// What came of asking.
#[derive(Debug)]
pub struct Collected<E> {
    /// The checkpoint with every cosignature that holds, those it came with included.
    pub note: Note,
    /// What each witness answered, in the order of the policy.
    pub answers: Vec<Answer<E>>,
    /// What the policy says of the note now: accepted, or why the quorum is not met.
    pub judged: Result<Judged, JudgeError>,
}

/// What a witness answered.
#[derive(Debug)]
pub struct Answer<E> {
    /// Its name in the policy.
    pub witness: String,
    /// When it cosigned, in seconds since 1970; or why it did not.
    pub outcome: Result<u64, AskError<E>>,
}

/// Why nothing was collected. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum CollectError<E> {
    /// The policy does not accept the log's own part of the note; no witness was asked.
    #[error(transparent)]
    Judge(JudgeError),
    /// The quorum is asked for and not met.
    #[error("{cause}")]
    Quorum {
        /// Which cosignatures are missing.
        cause: JudgeError,
        /// What was collected, with the reason of each witness.
        collected: Box<Collected<E>>,
    },
}

/// Gives the consistency proof from an older size, neither 0 nor that of the checkpoint, to the
/// checkpoint. It is called on the thread that collects.
pub type Prove<'p, E> = dyn Fn(u64) -> Result<Vec<TreeHash>, E> + 'p;

/// Asks every witness of the policy at once to cosign a checkpoint, and adds what holds. One whose
/// cosignature the note has already is not asked again. `sizes` is what the witnesses cosigned
/// before; it is brought up to date, also when this fails, and the caller keeps it for the next
/// time.
///
/// ```
/// use std::convert::Infallible;
///
/// use evidence::policy::Policy;
/// use evidence::witness::{Asking, WitnessSizes, collect};
/// use ledger::{checkpoint::Checkpoint, note::SigningKey, tree::leaf_hash};
///
/// let key = SigningKey::new("ledger.example/t/acme", &[7; 32])?;
/// let policy = Policy::parse(&format!("log {}\nquorum none\n", key.verifier()))?;
/// let checkpoint = Checkpoint {
///     origin: "ledger.example/t/acme".to_owned(),
///     size: 1,
///     root: leaf_hash(b"entry"),
/// };
/// let mut sizes = WitnessSizes::default();
/// let prove = |_old: u64| Ok::<_, Infallible>(Vec::new()); // reads tiles in a real caller
/// let asking = Asking::at(1_790_000_000);
/// let collected = collect(&policy, &checkpoint.sign(&key)?, &mut sizes, &asking, &prove)?;
/// assert_eq!(collected.judged?.checkpoint, checkpoint);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CollectError`].
pub fn collect<E: std::error::Error + Send + 'static>(
    policy: &Policy,
    note: &Note,
    sizes: &mut WitnessSizes,
    asking: &Asking,
    prove: &Prove<'_, E>,
) -> Result<Collected<E>, CollectError<E>> {
    // everything but the quorum must hold before anybody is asked
    match policy.judge(note) {
        Ok(_) | Err(JudgeError::Quorum { .. }) => {}
        Err(cause) => return Err(CollectError::Judge(cause)),
    }
    let checkpoint = Checkpoint::parse(note.text())
        .map_err(|cause| CollectError::Judge(JudgeError::Checkpoint(cause)))?;
    let question = Question {
        text: note.text(),
        sent: signed_by_log(note, &checkpoint.origin),
        size: checkpoint.size,
        asking,
    };
    let mut whole = note.clone();
    let mut answers = Vec::new();
    for (witness, learnt) in ask_all(&question, &pending(policy, note, sizes), prove) {
        if let Some(size) = learnt.size {
            sizes.set(&witness.key, size);
        }
        let outcome = learnt.outcome.map(|Cosigned { signature, time }| {
            // only those that are not there were asked for
            let _added = signature.map(|signature| whole.push(signature));
            time
        });
        let witness = witness.name.clone();
        answers.push(Answer { witness, outcome });
    }
    let judged = policy.judge(&whole);
    let collected = Collected {
        note: whole,
        answers,
        judged,
    };
    match (&collected.judged, asking.require) {
        (Err(cause), Require::Quorum) => Err(CollectError::Quorum {
            cause: cause.clone(),
            collected: Box::new(collected),
        }),
        _ => Ok(collected),
    }
}

/// The note as a witness gets it: with the signatures by keys of the log's name alone, since
/// others mean nothing to it.
fn signed_by_log(note: &Note, origin: &str) -> String {
    let Ok(mut sent) = Note::new(note.text()) else {
        return note.to_string();
    };
    let own = note.signatures().iter().filter(|one| one.name == origin);
    for signature in own {
        // no key signed the note twice, so none is refused here
        let _added = sent.push(signature.clone());
    }
    sent.to_string()
}

/// The witnesses with what is known of each: that it cosigned the note, and when, or how far it
/// cosigned before.
fn pending<'p>(
    policy: &'p Policy,
    note: &Note,
    sizes: &WitnessSizes,
) -> Vec<(&'p Witness, Result<u64, u64>)> {
    let known = |witness: &'p Witness| {
        let signed = note.verify(std::slice::from_ref(&witness.key));
        let time = signed.ok().and_then(|signed| signed.first()?.time);
        (witness, time.ok_or_else(|| sizes.get(&witness.key)))
    };
    policy.witnesses().iter().map(known).collect()
}

/// Asks all witnesses side by side, and makes the proofs they need.
fn ask_all<'p, E: Send>(
    question: &Question<'_>,
    pending: &[(&'p Witness, Result<u64, u64>)],
    prove: &Prove<'_, E>,
) -> Vec<(&'p Witness, Learnt<E>)> {
    std::thread::scope(|scope| {
        let (wanted, wants) = std::sync::mpsc::channel::<Wanted<E>>();
        let start = |(witness, known): &(&'p Witness, Result<u64, u64>)| {
            let (witness, prover) = (*witness, Prover(wanted.clone()));
            let known = match known {
                Ok(time) => return (witness, Asked::Before(*time)),
                Err(size) => *size,
            };
            let ask = move || question.ask(witness, known, &prover);
            match std::thread::Builder::new().spawn_scoped(scope, ask) {
                Ok(running) => (witness, Asked::Now(running)),
                Err(cause) => (witness, Asked::Never(cause)),
            }
        };
        let asked: Vec<_> = pending.iter().map(start).collect();
        drop(wanted);
        // ends when every witness is done, since each thread holds one end
        for Wanted { old, reply } in wants {
            // who asked may have given up
            let _taken = reply.send(prove(old));
        }
        let end = |(witness, asked): (&'p Witness, Asked<'_, E>)| (witness, asked.end());
        asked.into_iter().map(end).collect()
    })
}

/// A witness that may still be answering.
enum Asked<'s, E> {
    /// The note has its cosignature, of that time.
    Before(u64),
    Now(std::thread::ScopedJoinHandle<'s, Learnt<E>>),
    Never(std::io::Error),
}

impl<E> Asked<'_, E> {
    fn end(self) -> Learnt<E> {
        let outcome = match self {
            Self::Before(time) => Ok(Cosigned {
                signature: None,
                time,
            }),
            Self::Now(running) => match running.join() {
                Ok(learnt) => return learnt,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            Self::Never(cause) => Err(AskError::Thread(cause)),
        };
        let size = None;
        Learnt { outcome, size }
    }
}
