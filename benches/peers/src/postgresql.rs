//! A PostgreSQL server of our own, in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Rows;

/// Row by row, each with the hash of the one before; the head is one row, as such triggers have it.
const CHAINED: &str = "CREATE TABLE head (chain bytea NOT NULL);
    INSERT INTO head VALUES ('\\x00');
    CREATE FUNCTION chained() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE head SET chain = sha256(chain || new.id || new.payload) RETURNING chain INTO new.chain;
        RETURN new;
    END $$;
    CREATE TRIGGER chained BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION chained();";

pub(crate) struct Server {
    folder: tempfile::TempDir,
}

/// The program, as a user that the server accepts: it refuses to be root.
fn program(name: &str) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", name]);
        command
    } else {
        Command::new(name)
    };
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Server {
    /// Starts a server that listens on a socket in its own folder; `None` where there is none.
    pub(crate) fn start(root: &Path) -> Option<Self> {
        let folder = tempfile::tempdir_in(root).ok()?;
        let _chowned = Command::new("chown").arg("nobody:nogroup").arg(folder.path()).status();
        let server = Self { folder };
        let data = server.data();
        let made = program("initdb").arg("-D").arg(&data).args(["-A", "trust", "-U", "bench", "-E", "UTF8"]).status();
        if !made.is_ok_and(|status| status.success()) {
            return None;
        }
        let options = format!("-c listen_addresses= -c unix_socket_directories={}", server.folder.path().display());
        let log = server.folder.path().join("log");
        let started = program("pg_ctl").arg("-D").arg(&data).arg("-l").arg(log).args(["-w", "-o", &options, "start"]).status();
        started.is_ok_and(|status| status.success()).then_some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Appends batch by batch, each one statement and one durable transaction.
    pub(crate) fn append(&self, batches: &[Rows], is_chained: bool) -> Duration {
        let address = format!("host={} user=bench dbname=postgres", self.folder.path().display());
        let mut client = postgres::Client::connect(&address, postgres::NoTls).unwrap();
        client
            .batch_execute(
                "DROP TABLE IF EXISTS event, head; DROP FUNCTION IF EXISTS chained;
                 CREATE TABLE event (position bigserial PRIMARY KEY, id bytea NOT NULL UNIQUE, payload bytea NOT NULL, chain bytea);",
            )
            .unwrap();
        if is_chained {
            client.batch_execute(CHAINED).unwrap();
        }
        let insert = client
            .prepare("INSERT INTO event (id, payload) SELECT * FROM unnest($1::bytea[], $2::bytea[])")
            .unwrap();
        let columns: Vec<(Vec<&[u8]>, Vec<&[u8]>)> = batches
            .iter()
            .map(|batch| batch.iter().map(|(id, payload)| (id.as_slice(), payload.as_slice())).unzip())
            .collect();
        let start = Instant::now();
        for (ids, payloads) in &columns {
            client.execute(&insert, &[ids, payloads]).unwrap();
        }
        start.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _stopped = program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).status();
    }
}
