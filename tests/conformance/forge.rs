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
    /// As openssl's configuration has them.
    pub(crate) extensions: &'a [&'a str],
    /// From when until when, as `openssl ca` has it; otherwise from now on.
    pub(crate) valid: Option<[&'a str; 2]>,
}

impl Forgery<'_> {
    /// A certificate and its key in PEM.
    pub(crate) fn make(&self) -> Result<(String, String)> {
        let scratch = tempfile::tempdir()?;
        let path = |name: &str| scratch.path().join(name);
        let configuration = format!(
            "[req]\ndistinguished_name = name\n[name]\n\
             [ca]\ndefault_ca = authority\n\
             [authority]\ndatabase = {}\nnew_certs_dir = {}\nrand_serial = yes\ndefault_md = sha256\n\
             default_days = 365\npolicy = anything\n\
             [anything]\ncommonName = optional\norganizationName = optional\n\
             organizationalUnitName = optional\n\
             [extensions]\n{}\n",
            path("database").display(),
            scratch.path().display(),
            self.extensions.join("\n")
        );
        fs::write(path("configuration"), configuration)?;
        fs::write(path("database"), "")?;
        let mut request = Command::new("openssl");
        request.args(["req", "-new", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        request.args(["-subj", self.subject, "-config"]).arg(path("configuration"));
        output(request.arg("-keyout").arg(path("key")).arg("-out").arg(path("request")), "")?;

        let mut sign = Command::new("openssl");
        sign.args(["ca", "-batch", "-notext", "-preserveDN", "-extensions", "extensions", "-config"]);
        sign.arg(path("configuration")).arg("-in").arg(path("request"));
        sign.arg("-cert").arg(self.authority).arg("-keyfile").arg(self.authority.with_extension("key"));
        for (option, moment) in ["-startdate", "-enddate"].iter().zip(self.valid.into_iter().flatten()) {
            sign.args([option, moment]);
        }
        output(sign.arg("-out").arg(path("certificate")), "")?;
        Ok((fs::read_to_string(path("certificate"))?, fs::read_to_string(path("key"))?))
    }
}
