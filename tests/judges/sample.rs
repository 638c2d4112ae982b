//! A small PKI that the openssl command makes: what the judges judge in the tests of themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Anchor, Check, Usage, said};

/// A server certificate below an intermediate (P-256) below a root (RSA); certificates for a server and for server and
/// client that the root signed; and an authority (P-384) that nobody asked for, with a certificate that it signed.
pub(crate) struct Sample {
    directory: tempfile::TempDir,
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) intermediate: PathBuf,
    pub(crate) root: PathBuf,
    pub(crate) member: PathBuf,
    pub(crate) member_key: PathBuf,
    pub(crate) stranger: PathBuf,
    pub(crate) stranger_key: PathBuf,
    pub(crate) of_stranger: PathBuf,
}

const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P384: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384"];
const RSA: &[&str] = &["-newkey", "rsa:2048"];

const CA: &[&str] = &["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
const SERVER: &[&str] = &[
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    "subjectAltName=DNS:sample.example.com,IP:127.0.0.1",
];
const MEMBER: &[&str] = &[
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth,clientAuth",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
];

/// The sample, made once for all tests.
pub(crate) fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(Sample::make)
}

impl Sample {
    fn make() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let sample = Self {
            chain: path("chain.crt"),
            key: path("server.key"),
            intermediate: path("intermediate.crt"),
            root: path("root.crt"),
            member: path("member.crt"),
            member_key: path("member.key"),
            stranger: path("stranger.crt"),
            stranger_key: path("stranger.key"),
            of_stranger: path("of-stranger.crt"),
            directory,
        };
        sample.certificate("root", None, RSA, CA);
        sample.certificate("stranger", None, P384, CA);
        sample.certificate("intermediate", Some("root"), P256, CA);
        sample.certificate("server", Some("intermediate"), P256, SERVER);
        sample.certificate("member", Some("root"), P256, MEMBER);
        sample.certificate("server-only", Some("root"), P256, SERVER);
        sample.certificate("of-stranger", Some("stranger"), P384, SERVER);
        let leaf = fs::read_to_string(sample.file("server.crt")).unwrap();
        let intermediate = fs::read_to_string(&sample.intermediate).unwrap();
        fs::write(&sample.chain, leaf + &intermediate).unwrap();
        sample
    }

    /// A question with the answer yes.
    pub(crate) fn check(&self) -> Check<'_> {
        Check {
            chain: &self.chain,
            trusted: &self.root,
            anchor: Anchor::Root,
            usage: Usage::Server,
            name: Some("sample.example.com"),
            at: None,
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn certificate(&self, name: &str, issuer: Option<&str>, key: &[&str], extensions: &[&str]) {
        let mut command = Command::new("openssl");
        // Without a section of its own the default configuration would add extensions.
        let configuration = self.file("openssl.cnf");
        fs::write(&configuration, "[req]\ndistinguished_name = subject\n[subject]\n").unwrap();
        command.args(["req", "-x509", "-noenc", "-days", "2"]).args(key);
        command.arg("-config").arg(configuration).arg("-subj").arg(format!("/CN={name}"));
        for extension in extensions {
            command.args(["-addext", extension]);
        }
        if let Some(issuer) = issuer {
            command.arg("-CA").arg(self.file(&format!("{issuer}.crt")));
            command.arg("-CAkey").arg(self.file(&format!("{issuer}.key")));
            command.args(["-addext", "authorityKeyIdentifier=keyid"]);
        }
        command.args(["-addext", "subjectKeyIdentifier=hash"]);
        command.arg("-keyout").arg(self.file(&format!("{name}.key")));
        command.arg("-out").arg(self.file(&format!("{name}.crt")));
        let output = super::run(&mut command);
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
}
