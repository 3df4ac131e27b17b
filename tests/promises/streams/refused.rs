//! What cannot be done is said in one line, with a hint.

use kurrentdb_fake::{Fake, Options, Tls, User};

use super::{refused, server, small, stderr};
use crate::promises::program::{Desk, STREAM};

#[test]
fn a_stream_says_what_it_does_not_do() {
    let desk = small();
    let prune = [
        "prune",
        "--before",
        "2026-01-01",
        "--reason",
        "r",
        "--approved-by",
        "a",
        "--approved-by",
        "b",
    ];
    refused(&desk.run(&prune), "cannot be pruned", "daybook redact");
    desk.ok(&["backup", "b"]);
    refused(
        &desk.run(&["restore", "b"]),
        "into a folder",
        "daybook copy",
    );
    // a backup of a stream is a ledger like any other
    desk.ok(&["--ledger", "b", "--keys", "none", "verify"]);
}

#[test]
fn an_address_that_leads_nowhere_gets_one_line_and_a_hint() {
    let desk = Desk::empty();
    let ask = |address: &str| desk.run(&["--ledger", address, "--state", "s", "log"]);
    let free = {
        let mut gone = server();
        let url = gone.url(STREAM);
        gone.kill();
        url
    };
    let quick = "&maxDiscoverAttempts=1&gossipTimeout=2000";
    refused(&ask("kurrentdb://"), "names no host", "kurrentdb://");
    refused(
        &ask("kurrentdb://h/s?tsl=false"),
        "unknown option",
        "kurrentdb://",
    );
    refused(&ask("esdb://h:2113"), "no stream", "kurrentdb://");
    refused(
        &ask(&format!(
            "kurrentdb://no-such-host.invalid/s?tls=false{quick}"
        )),
        "no host of that name",
        "",
    );
    refused(&ask(&format!("{free}{quick}")), "refused", "");
    let empty = server();
    refused(&ask(&empty.url(STREAM)), "no ledger at", "daybook copy");
    let plain = empty.url(STREAM).replace("tls=false", "tls=true");
    refused(
        &ask(&format!("{plain}{quick}")),
        "does not speak TLS",
        "tls=false",
    );
    let speaks = Tls::new().unwrap();
    let tls = Fake::start(Options {
        tls: Some(speaks),
        ..Options::default()
    })
    .unwrap();
    let bare = tls.url(STREAM).replace("tls=true", "tls=false");
    refused(&ask(&format!("{bare}{quick}")), "TLS", "tls=false");
    refused(
        &ask(&format!("{}{quick}", tls.url(STREAM))),
        "certificate is not trusted",
        "tlsCaFile",
    );
}

#[test]
fn a_wrong_password_is_said_and_never_shown() {
    let guarded = Fake::start(Options {
        users: vec![User::new("daybook", "right-Passw0rd")],
        ..Options::default()
    })
    .unwrap();
    let desk = Desk::empty();
    let url = guarded.url(STREAM);
    let with = |login: &str| url.replace("://", &format!("://{login}@"));
    let wrong = desk.run(&[
        "--ledger",
        &with("daybook:wr0ng-Passw0rd"),
        "--state",
        "s",
        "log",
    ]);
    refused(&wrong, "does not accept", "password");
    assert!(stderr(&wrong).starts_with("note: a password in an argument"));
    assert!(!stderr(&wrong).contains("wr0ng"));
    let by_environment = |password: &str| {
        desk.command()
            .env("DAYBOOK_KURRENTDB_PASSWORD", password)
            .args(["--ledger", &with("daybook"), "--state", "s", "--keys", "k"])
            .args(["init", "--origin", "ledger.example/test"])
            .output()
            .unwrap()
    };
    let wrong = by_environment("wr0ng-Passw0rd");
    refused(&wrong, "does not accept", "password");
    assert!(!stderr(&wrong).contains("wr0ng"));
    let right = by_environment("right-Passw0rd");
    assert!(right.status.success(), "{}", stderr(&right));
}

#[test]
fn a_stream_that_is_no_ledger_or_another_or_gone_is_refused() {
    let mut desk = Desk::with(server());
    desk.server().log().write_foreign(STREAM, "hello");
    refused(&desk.run(&["log"]), "is not a Daybook ledger", "");
    refused(&desk.run(&["init"]), "is not a Daybook ledger", "");

    let mut desk = small();
    desk.server().log().write_foreign(STREAM, "hello");
    let foreign = desk.run(&["log"]);
    let told = stderr(&foreign);
    assert!(told.contains("is not a record of the ledger"), "{told}");
    assert!(told.contains("revision "), "{told}");

    // another ledger came where ours was
    let one = small();
    let mut two = small();
    let (state, keys) = (one.path("daybook.ledger"), one.path("daybook.ledger.keys"));
    let arguments = [
        "--state",
        state.to_str().unwrap(),
        "--keys",
        keys.to_str().unwrap(),
        "log",
    ];
    refused(
        &two.run(&arguments),
        "is another on the server",
        "keep both",
    );

    two.server().log().delete_for_good(STREAM);
    refused(&two.run(&["log"]), "deleted", "");
}
