//! Certificates that this crate does not make: openssl makes them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::programs::output;
use crate::report::Result;

/// What of a forgery is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgery<'a> {
    /// The file of the authority's certificate; its key is beside it.
    pub(crate) authority: &'a Path,
    /// As `openssl req -subj` has it.
    pub(crate) subject: &'a str,
    /// As `openssl req -addext` has them.
    pub(crate) extensions: &'a [&'a str],
}

impl Forgery<'_> {
    /// A certificate and its key in PEM.
    pub(crate) fn make(&self) -> Result<(String, String)> {
        let scratch = tempfile::tempdir()?;
        let path = |name: &str| scratch.path().join(name);
        fs::write(path("openssl.cnf"), "[req]\ndistinguished_name = subject\n[subject]\n")?;
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        openssl.args(["-days", "2", "-subj", self.subject, "-config"]).arg(path("openssl.cnf"));
        for extension in self.extensions {
            openssl.args(["-addext", extension]);
        }
        openssl.arg("-CA").arg(self.authority);
        openssl.arg("-CAkey").arg(self.authority.with_extension("key"));
        output(openssl.arg("-keyout").arg(path("key")).arg("-out").arg(path("certificate")), "")?;
        Ok((fs::read_to_string(path("certificate"))?, fs::read_to_string(path("key"))?))
    }
}
