//! A PostgreSQL server of our own, in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use postgres::Client;

use crate::peer::{Peer, all_at_once};
use crate::work::Rows;

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
        let options = format!("-c max_connections=200 -c listen_addresses= -c unix_socket_directories={}", server.folder.path().display());
        let log = server.folder.path().join("log");
        let started = program("pg_ctl").arg("-D").arg(&data).arg("-l").arg(log).args(["-w", "-o", &options, "start"]).status();
        started.is_ok_and(|status| status.success()).then_some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn connect(&self) -> Client {
        let address = format!("host={} user=bench dbname=postgres", self.folder.path().display());
        Client::connect(&address, postgres::NoTls).unwrap()
    }

    /// An empty table; a connection to it.
    fn table(&self, is_chained: bool) -> Client {
        let mut client = self.connect();
        client
            .batch_execute(
                "DROP TABLE IF EXISTS event, head; DROP FUNCTION IF EXISTS chained;
                 CREATE TABLE event (position bigserial PRIMARY KEY, id bytea NOT NULL UNIQUE, payload bytea NOT NULL, chain bytea);",
            )
            .unwrap();
        if is_chained {
            client.batch_execute(CHAINED).unwrap();
        }
        client
    }
}

/// PostgreSQL: one statement a batch; with or without a chain of SHA-256 by a trigger.
pub(crate) struct Postgresql<'s> {
    pub(crate) server: &'s Server,
    pub(crate) is_chained: bool,
}

const INSERT: &str = "INSERT INTO event (id, payload) SELECT * FROM unnest($1::bytea[], $2::bytea[])";

fn columns(rows: &[([u8; 16], Vec<u8>)]) -> (Vec<&[u8]>, Vec<&[u8]>) {
    rows.iter().map(|(id, payload)| (id.as_slice(), payload.as_slice())).unzip()
}

impl Peer for Postgresql<'_> {
    fn name(&self) -> &'static str {
        if self.is_chained { "PostgreSQL, chained by trigger" } else { "PostgreSQL" }
    }

    fn append(&self, _folder: &Path, batches: &[Rows]) -> Duration {
        let mut client = self.server.table(self.is_chained);
        let insert = client.prepare(INSERT).unwrap();
        let columns: Vec<_> = batches.iter().map(|batch| columns(batch)).collect();
        let start = Instant::now();
        for (ids, payloads) in &columns {
            client.execute(&insert, &[ids, payloads]).unwrap();
        }
        start.elapsed()
    }

    fn together(&self, _folder: &Path, callers: &[Rows]) -> Duration {
        let _table = self.server.table(self.is_chained);
        let clients: Mutex<Vec<Client>> = Mutex::new(callers.iter().map(|_| self.server.connect()).collect());
        all_at_once(callers, |rows| {
            let mut client = clients.lock().unwrap().pop().unwrap();
            let insert = client.prepare("INSERT INTO event (id, payload) VALUES ($1, $2)").unwrap();
            for (id, payload) in rows {
                client.execute(&insert, &[&id.as_slice(), &payload.as_slice()]).unwrap();
            }
        })
    }

    fn scan(&self, _folder: &Path) -> Option<(u64, Duration)> {
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _stopped = program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).status();
    }
}
