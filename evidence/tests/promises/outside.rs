//! Against a witness somebody else wrote: `aics-witness`, whose folder of programs `.ci/outside`
//! puts into `DAYBOOK_AICS_BIN`. Without it these tests say so and pass.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use evidence::policy::Policy;
use evidence::witness::{AskError, Asking, Collected, Require, WitnessSizes, collect};
use ledger::checkpoint::Checkpoint;
use ledger::note::SigningKey;
use tempfile::TempDir;

use super::grown::{Grown, ORIGIN, log};
use super::superlog::{create, key, statements};

/// A program of the folder that the variable names.
#[expect(clippy::print_stdout, reason = "says that the programs are absent")]
#[expect(
    clippy::disallowed_methods,
    reason = "where other people's programs are is for the environment to say"
)]
fn program(name: &str) -> Option<PathBuf> {
    let Ok(folder) = std::env::var("DAYBOOK_AICS_BIN") else {
        println!("DAYBOOK_AICS_BIN is not set: {name} is not asked");
        return None;
    };
    let path = Path::new(&folder).join(name);
    assert!(path.exists(), "{} is absent", path.display());
    Some(path)
}

/// Runs a program to its end and returns what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command:?}: {printed}{said}");
    printed
}

/// The witness, and where it keeps its state.
struct Outsider {
    program: PathBuf,
    home: TempDir,
    vkey: String,
    serving: Option<(Child, String)>,
}

impl Outsider {
    fn new() -> Option<Self> {
        Self::knowing(&log())
    }

    /// One that knows the log of a key.
    fn knowing(key: &SigningKey) -> Option<Self> {
        let program = program("aics-witness")?;
        let home = tempfile::tempdir().unwrap();
        let mut outsider = Self {
            program,
            home,
            vkey: String::new(),
            serving: None,
        };
        let name = ["--name", "witness.example/w1", "--listen", "127.0.0.1:0"];
        let files = ["--db", "w.db", "--key-file", "w.key"];
        let said = run(outsider.command("init").args(name).args(files));
        said.trim().clone_into(&mut outsider.vkey);
        let (origin, vkey) = (key.verifier().name(), key.verifier().to_string());
        run(outsider
            .command("add-log")
            .args(["--origin", origin, "--vkey", &vkey]));
        outsider.start();
        Some(outsider)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(verb).arg("-c").arg("w.json");
        command.current_dir(self.home.path());
        command
    }

    /// Serves on a free port, which it tells when it is ready.
    fn start(&mut self) {
        let mut serve = self.command("serve");
        let mut child = serve.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it does not serve");
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
        };
        // it must not stop at a full pipe
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        self.serving = Some((child, url));
    }

    fn kill(&mut self) {
        if let Some((child, _)) = &mut self.serving {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it where it is, or lets it go on: a witness whose machine hangs.
    fn signal(&self, signal: &str) {
        let (child, _) = self.serving.as_ref().unwrap();
        run(Command::new("kill").args([signal, &child.id().to_string()]));
    }

    /// Accepts the log of a key, cosigned by this witness.
    fn policy(&self, key: &SigningKey) -> Policy {
        let (_, url) = self.serving.as_ref().unwrap();
        let (log, vkey) = (key.verifier(), &self.vkey);
        let text = format!("log {log}\nwitness w {vkey} {url}\nquorum w\n");
        Policy::parse(&text).unwrap()
    }

    /// Asks it to cosign the log as it has grown.
    fn ask(&self, grown: &Grown, sizes: &mut WitnessSizes) -> Asked {
        let asking = Asking {
            require: Require::Nothing,
            timeout: Duration::from_secs(5),
            ..Asking::at(now())
        };
        let prove = |old| grown.prove(old);
        let note = grown.checkpoint();
        let collected = collect(&self.policy(&log()), &note, sizes, &asking, &prove).unwrap();
        let Collected {
            answers, judged, ..
        } = collected;
        let outcome = answers.into_iter().next().unwrap().outcome;
        assert_eq!(judged.is_ok(), outcome.is_ok());
        outcome
    }
}

type Asked = Result<u64, AskError<std::convert::Infallible>>;

impl Drop for Outsider {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "another program tells the time of day, and is held against ours"
)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[test]
fn a_witness_cosigns_growth_and_refuses_forks_and_old_copies() {
    let Some(witness) = Outsider::new() else {
        return;
    };
    let mut sizes = WitnessSizes::default();
    for size in [7, 13, 13, 14, 300] {
        witness.ask(&Grown::new(0, size), &mut sizes).unwrap();
    }
    // sizes that were lost, or are wrong, cost one more request
    let mut wrong = WitnessSizes::default();
    witness.ask(&Grown::new(0, 301), &mut wrong).unwrap();
    let witness_key = witness.policy(&log()).witnesses()[0].key.clone();
    wrong.set(&witness_key, 5);
    witness.ask(&Grown::new(0, 302), &mut wrong).unwrap();
    assert_eq!(wrong.get(&witness_key), 302);

    // an old copy, known or not to be one
    for mut known in [wrong.clone(), WitnessSizes::default()] {
        let refused = witness.ask(&Grown::new(0, 250), &mut known);
        let behind = matches!(
            refused,
            Err(AskError::Behind {
                cosigned: 302,
                size: 250
            })
        );
        assert!(behind, "{refused:?}");
    }
    // another history: longer, and of the same size; known or not how far it cosigned
    for size in [303, 302, 700] {
        for mut known in [wrong.clone(), WitnessSizes::default()] {
            let refused = witness.ask(&Grown::new(1, size), &mut known);
            let forked = matches!(refused, Err(AskError::Forked { cosigned: 302 }));
            assert!(forked, "{size}: {refused:?}");
        }
    }
    // it kept what proves the fork
    let evidence = run(&mut witness.command("evidence"));
    assert!(evidence.contains(ORIGIN), "{evidence}");
    // and the log goes on
    witness.ask(&Grown::new(0, 303), &mut wrong).unwrap();
}

#[test]
fn a_witness_that_is_killed_or_hangs_is_asked_again_later() {
    let Some(mut witness) = Outsider::new() else {
        return;
    };
    let mut sizes = WitnessSizes::default();
    witness.ask(&Grown::new(0, 3), &mut sizes).unwrap();
    witness.kill();
    let gone = witness.ask(&Grown::new(0, 9), &mut sizes);
    assert!(matches!(gone, Err(AskError::Unreachable(_))), "{gone:?}");
    witness.start();
    witness.ask(&Grown::new(0, 9), &mut sizes).unwrap();

    witness.signal("-STOP");
    let hung = witness.ask(&Grown::new(0, 12), &mut sizes);
    witness.signal("-CONT");
    assert!(matches!(hung, Err(AskError::TimedOut)), "{hung:?}");
    // it may have cosigned meanwhile: then it tells, and is given a proof from there
    witness.ask(&Grown::new(0, 20), &mut sizes).unwrap();
}

#[test]
fn a_log_the_witness_does_not_know_is_told_apart_from_a_key_it_does_not() {
    let Some(witness) = Outsider::new() else {
        return;
    };
    for (origin, seed, is_unknown_log) in [("other.example", 1, true), (ORIGIN, 2, false)] {
        let key = SigningKey::new(origin, &[seed; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: 0,
            root: ledger::tree::empty_root(),
        };
        let asking = Asking {
            require: Require::Nothing,
            ..Asking::at(now())
        };
        let collected = collect(
            &witness.policy(&key),
            &checkpoint.sign(&key).unwrap(),
            &mut WitnessSizes::default(),
            &asking,
            &|_| Ok::<_, std::convert::Infallible>(Vec::new()),
        );
        let outcome = &collected.unwrap().answers[0].outcome;
        let expected = match outcome {
            Err(AskError::UnknownLog) => is_unknown_log,
            Err(AskError::UnknownKey) => !is_unknown_log,
            _ => false,
        };
        assert!(expected, "{outcome:?}");
    }
}

/// Reads every tile and bundle of a folder; the arguments are folder, size and root.
const AUDIT: &str = "
import base64, sys
from aics_tlog import FileSystemTileReader, audit_tiles
audit_tiles(FileSystemTileReader(sys.argv[1]), int(sys.argv[2]), base64.b64decode(sys.argv[3]))
";

#[test]
fn the_super_log_is_one_that_others_cosign_and_check() {
    let (Some(witness), Some(checker)) = (Outsider::knowing(&key()), program("aics-tlog")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let mut log = create(Path::new(&at("log")));
    let mut sizes = WitnessSizes::default();
    let policy = witness.policy(&key());
    std::fs::write(at("log.vkey"), key().verifier().to_string()).unwrap();
    let check = |verb: &str, args: &[&str]| {
        let (tiles, vkey) = (at("log"), at("log.vkey"));
        let mut command = Command::new(&checker);
        command.args([verb, "--tiles", &tiles, "--vkey-file", &vkey]);
        command.args(["--witness-key", &witness.vkey, "--quorum", "1"]);
        run(command.args(args))
    };
    let mut next = 0;
    for count in [1, 4, 200, 100, 256] {
        log.append(&statements(next, count)).unwrap();
        next += count;
        let prove = |old| log.consistency(old);
        let asking = Asking::at(now());
        let collected = collect(&policy, log.note(), &mut sizes, &asking, &prove).unwrap();
        log.publish(&collected.note).unwrap();
        check("verify-checkpoint", &[]);
        if next > count {
            check("verify-consistency", &["--old-checkpoint", &at("older")]);
        }
        std::fs::copy(at("log/checkpoint"), at("older")).unwrap();
        let included = log.inclusion(next / 2).unwrap().unwrap();
        std::fs::write(at("leaf"), included.leaf.bytes()).unwrap();
        let index = (next / 2).to_string();
        check(
            "verify-inclusion",
            &["--leaf", &at("leaf"), "--index", &index],
        );
        let text = log.note().text().to_owned();
        let [_, size, root, ""] = text.split('\n').collect::<Vec<_>>()[..] else {
            panic!("no checkpoint");
        };
        let mut python = Command::new(program("python").unwrap());
        run(python.args(["-c", AUDIT, &at("log"), size, root]));
    }
}
