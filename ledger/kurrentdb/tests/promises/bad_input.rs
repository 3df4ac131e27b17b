//! What leads nowhere gets one line that says why, and never shows a secret.

use kurrentdb_fake::{Fake, Options, Tls, User};
use ledger_kurrentdb::{Address, KurrentError, Why};
use proptest::prelude::*;

use super::records::{append, connect, records, try_connect};

const STREAM: &str = "contoso";
const QUICK: &str = "&maxDiscoverAttempts=1&gossipTimeout=2000";

/// The error, which is one line with a hint.
fn refused(url: &str) -> KurrentError {
    let error = try_connect(url).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    assert!(!error.hint().is_empty(), "{error}");
    error
}

fn why(url: &str) -> Why {
    match refused(&format!("{url}{QUICK}")) {
        KurrentError::Unreachable { mut tried } => tried.remove(0).why,
        other => panic!("{other}"),
    }
}

#[test]
fn every_way_not_to_reach_a_server_is_told_apart() {
    let mut server = Fake::start(Options::default()).unwrap();
    let url = server.url(STREAM);
    let tls = Tls::new().unwrap();
    let encrypted = Fake::start(Options {
        tls: Some(tls.clone()),
        ..Options::default()
    })
    .unwrap();
    assert_eq!(
        why("kurrentdb://no-such-host.invalid/s?tls=false"),
        Why::UnknownHost
    );
    assert_eq!(why(&url.replace("tls=false", "tls=true")), Why::NoTls);
    let bare = encrypted.url(STREAM).replace("tls=true", "tls=false");
    assert_eq!(why(&bare), Why::TlsOnly);
    assert!(matches!(why(&encrypted.url(STREAM)), Why::Untrusted { .. }));
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, tls.authority()).unwrap();
    let trusting = format!("{}&tlsCaFile={}", encrypted.url(STREAM), ca.display());
    append(&mut connect(&trusting), &records(3)).unwrap();
    connect(&format!("{}&tlsVerifyCert=false", encrypted.url(STREAM)));
    // an address the certificate was not made for
    if let Ok(elsewhere) = Fake::start(Options {
        listen: ([127, 0, 0, 2], 0).into(),
        tls: Some(tls.clone()),
        ..Options::default()
    }) {
        let other = format!("{}&tlsCaFile={}", elsewhere.url(STREAM), ca.display());
        let Why::Untrusted { reason } = why(&other) else {
            panic!("{:?}", why(&other));
        };
        assert_eq!(reason, "it was made for another host name");
    }
    server.kill();
    assert_eq!(why(&url), Why::Refused);
    server.restart().unwrap();
    connect(&url);
    // something else listens there
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 64]));
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    let said = refused(&format!("kurrentdb://127.0.0.1:{port}/s?tls=false{QUICK}"));
    assert!(matches!(said, KurrentError::Unreachable { .. }), "{said}");
}

#[test]
fn files_that_an_address_names_must_be_what_they_are_for() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let absent = folder.path().join("absent");
    for (option, path) in [
        ("tlsCaFile", &absent),
        ("tlsCaFile", &empty),
        ("passwordFile", &absent),
        ("passwordFile", &empty),
    ] {
        let url = format!("kurrentdb://u@h/s?{option}={}", path.display());
        let url = if option == "tlsCaFile" {
            url.replace("u@", "u:p@")
        } else {
            url
        };
        assert!(
            matches!(refused(&url), KurrentError::File { option: named, .. } if named == option)
        );
    }
}

#[test]
fn wrong_passwords_and_missing_rights_are_told_apart() {
    let server = Fake::start(Options {
        users: vec![User::new("daybook", "right"), User::new("other", "right")],
        ..Options::default()
    })
    .unwrap();
    let as_user = |login: &str| server.url(STREAM).replace("://", &format!("://{login}@"));
    append(&mut connect(&as_user("daybook:right")), &records(3)).unwrap();
    let wrong = refused(&as_user("daybook:wrong-one"));
    assert!(
        matches!(wrong, KurrentError::Unauthenticated { .. }),
        "{wrong}"
    );
    assert!(!format!("{wrong} {wrong:?}").contains("wrong-one"));
    let nobody = refused(&server.url(STREAM));
    assert!(
        matches!(nobody, KurrentError::Unauthenticated { .. }),
        "{nobody}"
    );
    let unknown = refused(&as_user("nobody:right"));
    assert!(
        matches!(unknown, KurrentError::Unauthenticated { .. }),
        "{unknown}"
    );
    server
        .log()
        .set_metadata(STREAM, r#"{"$acl":{"$r":["daybook"],"$w":["daybook"]}}"#);
    let denied = refused(&as_user("other:right"));
    assert!(
        matches!(denied, KurrentError::Denied { doing: "read", .. }),
        "{denied}"
    );
    assert!(matches!(
        refused(&as_user("daybook")),
        KurrentError::Address(_)
    ));
    let by_environment = Address::parse(&as_user("daybook"))
        .unwrap()
        .with_password(Some("right".to_owned()));
    assert!(!by_environment.has_password());
    assert!(Address::parse(&as_user("a:b")).unwrap().has_password());
    ledger_kurrentdb::KurrentStore::connect(&by_environment, super::records::jitter()).unwrap();
}

#[test]
fn a_users_certificate_is_shown_to_who_wants_to_see_one() {
    let tls = Tls::with_user().unwrap();
    let server = Fake::start(Options {
        tls: Some(tls.clone()),
        ..Options::default()
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let user = tls.user().unwrap();
    let ca = file("ca.pem", tls.authority());
    let certificate = file("user.pem", &user.certificate);
    let key = file("user.key", &user.key);
    let bare = format!("{}&tlsCaFile={ca}", server.url(STREAM));
    refused(&format!("{bare}{QUICK}"));
    let with = format!("{bare}&userCertFile={certificate}&userKeyFile={key}");
    append(&mut connect(&with), &records(3)).unwrap();
    let swapped = format!("{bare}&userCertFile={key}&userKeyFile={certificate}");
    assert!(matches!(
        refused(&swapped),
        KurrentError::File {
            option: "userCertFile",
            ..
        }
    ));
}

#[test]
fn a_token_is_sent_from_a_file_or_from_elsewhere() {
    let server = Fake::start(Options {
        users: vec![User::new("daybook", "unused").with_token("t0ken.abc")],
        ..Options::default()
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let from_file = format!("{}&tokenFile={}", server.url(STREAM), file.display());
    std::fs::write(&file, "t0ken.abc\n").unwrap();
    append(&mut connect(&from_file), &records(3)).unwrap();
    std::fs::write(&file, "other").unwrap();
    let wrong = refused(&from_file);
    assert!(
        matches!(&wrong, KurrentError::Unauthenticated { what, .. } if what == "the token"),
        "{wrong}"
    );
    let with = |token: &str| {
        let address = Address::parse(&server.url(STREAM)).unwrap();
        let address = address.with_token(Some(token.to_owned()));
        assert!(!format!("{address} {address:?}").contains(token));
        ledger_kurrentdb::KurrentStore::connect(&address, super::records::jitter())
    };
    with("t0ken.abc").unwrap();
    let odd = with("t0ken\u{7}\u{e4}").unwrap_err();
    assert!(matches!(odd, KurrentError::Setup { .. }), "{odd}");
}

#[test]
fn streams_that_are_no_ledger_are_named() {
    let server = Fake::start(Options::default()).unwrap();
    server.log().write_foreign(STREAM, "hello");
    let error = refused(&server.url(STREAM));
    assert!(
        matches!(error, KurrentError::NotOurs { revision: 0, .. }),
        "{error}"
    );
    let server = Fake::start(Options::default()).unwrap();
    append(&mut connect(&server.url(STREAM)), &records(3)).unwrap();
    server.log().delete_for_good(STREAM);
    let error = refused(&server.url(STREAM));
    assert!(matches!(error, KurrentError::Deleted { .. }), "{error}");
    // softly: what is appended next would not be at revision 0
    let server = Fake::start(Options::default()).unwrap();
    append(&mut connect(&server.url(STREAM)), &records(3)).unwrap();
    server
        .log()
        .truncate_before(STREAM, i64::MAX.unsigned_abs());
    let error = refused(&server.url(STREAM));
    assert!(matches!(error, KurrentError::Deleted { .. }), "{error}");
}

/// Every byte as `%` and two digits.
fn code(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_of_addresses_panic(text in "\\PC{0,200}", tail in "[-a-z0-9:/?@%&=.,\\[\\]]{0,60}") {
        drop(Address::parse(&text));
        drop(Address::parse(&format!("kurrentdb://{tail}")));
        drop(Address::parse(&format!("esdb+discover://{text}")));
    }

    #[test]
    fn what_is_shown_of_an_address_leads_to_the_same_place_without_its_password(
        user in "[a-zA-Z0-9 @:/%]{1,12}",
        password in "[a-zA-Z0-9@:/?#%&=]{8,20}",
        stream in "[a-zA-Z0-9 /%?-]{1,20}",
    ) {
        prop_assume!(!user.contains(':'));
        let url = format!("kurrentdb://{}:{}@h1:1,h2/{}?tls=false", code(&user), code(&password), code(&stream));
        let address = Address::parse(&url).unwrap();
        prop_assert_eq!(address.stream(), stream.as_str());
        let shown = address.to_string();
        let again = Address::parse(&shown).unwrap();
        prop_assert_eq!(again.stream(), stream.as_str());
        prop_assert_eq!(again.hosts(), address.hosts());
        prop_assume!(!stream.contains(&password));
        let told = format!("{shown} {address:?}");
        prop_assert!(!told.contains(&password) && !told.contains(&code(&password)));
    }
}
