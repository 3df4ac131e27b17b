//! Authorities made with `openssl` in a folder of their own, honest ones and others.

use std::path::PathBuf;
use std::process::{Command, Output};

use evidence::timestamp::{Anchors, Token};
use sha2::{Digest as _, Sha256};

/// What `openssl ts` is told, in its own words.
const SETTINGS: &str = "[tsa]
default_tsa = authority
[authority]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = chain.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = 3
tsa_name = yes
ess_cert_id_alg = sha256
";

/// Extensions of a certificate for timestamping.
pub(crate) const STAMPS: &str = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n\
     extendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\n";

/// Extensions of a certificate that issues others.
pub(crate) const ISSUES: &str =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n";

pub(crate) const RSA: &[&str] = &["-newkey", "rsa:2048"];
pub(crate) const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
pub(crate) const P384: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];

/// A folder with keys and certificates.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
}

/// Whether this machine has `openssl`; says so when it has not.
#[expect(clippy::print_stdout, reason = "says that the program is absent")]
pub(crate) fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        println!("openssl is absent: not checked");
    }
    found
}

impl Authority {
    /// A root `ca` and, signed by it, a certificate `tsa` for timestamping.
    pub(crate) fn new(key: &[&str]) -> Self {
        let authority = Self::empty();
        authority.root("ca", P256, ISSUES);
        authority.certificate("tsa", key, STAMPS, "ca");
        authority
    }

    /// No key at all yet.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Self { folder };
        authority.write("settings", SETTINGS);
        authority.write("serial", "01\n");
        authority.write("chain.pem", "");
        authority
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `openssl` in the folder.
    pub(crate) fn openssl(&self, arguments: &[&str]) -> Output {
        Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) {
        let output = self.openssl(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {said}");
    }

    /// A certificate that signed itself: `<name>.pem` and `<name>.key`.
    pub(crate) fn root(&self, name: &str, key: &[&str], extensions: &str) {
        let settings = format!("[req]\ndistinguished_name=d\n[d]\n[e]\n{extensions}");
        self.write("request", settings);
        let (pem, secret) = (format!("{name}.pem"), format!("{name}.key"));
        let subject = format!("/O=Daybook tests/CN={name}");
        let fixed = [
            "req",
            "-x509",
            "-nodes",
            "-days",
            "30",
            "-sha256",
            "-config",
            "request",
            "-extensions",
            "e",
            "-subj",
            &subject,
            "-out",
            &pem,
            "-keyout",
            &secret,
        ];
        self.run(&[&fixed, key].concat());
    }

    /// A certificate signed by another.
    pub(crate) fn certificate(&self, name: &str, key: &[&str], extensions: &str, issuer: &str) {
        self.write("extensions", extensions);
        self.write("request", "[req]\ndistinguished_name=d\n[d]\n");
        let (pem, secret) = (format!("{name}.pem"), format!("{name}.key"));
        let (issuer_pem, issuer_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        let subject = format!("/O=Daybook tests/CN={name}");
        let fixed = [
            "req", "-new", "-nodes", "-config", "request", "-subj", &subject, "-out", "csr",
            "-keyout", &secret,
        ];
        self.run(&[&fixed, key].concat());
        self.run(&[
            "x509",
            "-req",
            "-in",
            "csr",
            "-CA",
            &issuer_pem,
            "-CAkey",
            &issuer_key,
            "-CAcreateserial",
            "-days",
            "20",
            "-sha256",
            "-extfile",
            "extensions",
            "-out",
            &pem,
        ]);
    }

    /// What `openssl ts` answers to a request; `certs` and more can be set in `settings`.
    pub(crate) fn reply(&self, request: &[u8]) -> Vec<u8> {
        self.write("request.tsq", request);
        self.run(&[
            "ts",
            "-reply",
            "-config",
            "settings",
            "-queryfile",
            "request.tsq",
            "-out",
            "reply.tsr",
        ]);
        self.read("reply.tsr")
    }

    /// Changes one setting of `openssl ts`.
    pub(crate) fn set(&self, from: &str, to: &str) {
        let settings = String::from_utf8(self.read("settings")).unwrap();
        assert!(settings.contains(from), "{from}");
        self.write("settings", settings.replace(from, to));
    }

    /// An answer about a statement of our own, signed by `openssl cms` with any certificate.
    pub(crate) fn signed(&self, statement: &[u8], arguments: &[&str]) -> Vec<u8> {
        self.write("statement", statement);
        let fixed = [
            "cms",
            "-sign",
            "-binary",
            "-nodetach",
            "-nosmimecap",
            "-outform",
            "DER",
            "-econtent_type",
            "1.2.840.113549.1.9.16.1.4",
            "-in",
            "statement",
            "-out",
            "signed.der",
        ];
        self.run(&[&fixed, arguments].concat());
        granted(&self.read("signed.der"))
    }

    /// The same, as a token.
    pub(crate) fn token(&self, statement: &[u8], arguments: &[&str]) -> Token {
        Token::parse(self.signed(statement, arguments)).unwrap()
    }

    /// The anchors a file holds.
    pub(crate) fn anchors(&self, name: &str) -> Anchors {
        Anchors::from_pem(&String::from_utf8(self.read(name)).unwrap()).unwrap()
    }

    /// Whether `openssl ts -verify` accepts a file of ours.
    pub(crate) fn openssl_accepts(&self, tsr: &[u8], data: &[u8], anchors: &str) -> bool {
        self.write("ours.tsr", tsr);
        self.write("data", data);
        let arguments = [
            "ts", "-verify", "-in", "ours.tsr", "-data", "data", "-CAfile", anchors,
        ];
        self.openssl(&arguments).status.success()
    }
}

/// One value of DER.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = body.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut whole = vec![tag];
    if body.len() < 0x80 {
        whole.push(u8::try_from(body.len()).unwrap());
    } else {
        whole.push(0x80 | u8::try_from(significant.len()).unwrap());
        whole.extend(significant);
    }
    whole.extend(body);
    whole
}

/// `TimeStampResp` with status granted around an envelope.
pub(crate) fn granted(envelope: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x30, &[&tlv(2, &[&[0]])]), envelope])
}

/// `AlgorithmIdentifier` of SHA-256.
pub(crate) const SHA_256: &[u8] = &[
    0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0,
];

/// `TSTInfo` about data at a time, with values behind `genTime`.
pub(crate) fn statement(data: &[u8], time: &str, behind: &[u8]) -> Vec<u8> {
    let imprint = tlv(0x30, &[SHA_256, &tlv(4, &[&Sha256::digest(data)])]);
    statement_of(&imprint, time, behind)
}

/// `TSTInfo` with an imprint.
pub(crate) fn statement_of(imprint: &[u8], time: &str, behind: &[u8]) -> Vec<u8> {
    let policy = tlv(6, &[&[0x2a, 3, 4, 1]]);
    let time = tlv(0x18, &[time.as_bytes()]);
    tlv(
        0x30,
        &[
            &tlv(2, &[&[1]]),
            &policy,
            imprint,
            &tlv(2, &[&[9]]),
            &time,
            behind,
        ],
    )
}

/// This moment as `genTime`, as `openssl` has it.
pub(crate) fn now(authority: &Authority) -> String {
    let request = evidence::timestamp::Request::new(b"now", &mut |bytes| bytes.fill(1));
    let stamped = Token::parse(authority.reply(request.der()))
        .unwrap()
        .verify(b"now", None, &authority.anchors("ca.pem"))
        .unwrap();
    stamped.time.strftime("%Y%m%d%H%M%SZ").to_string()
}
