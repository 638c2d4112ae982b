//! HTTP requests with a certificate of choice: curl.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::output;
use crate::report::Result;

/// A client certificate and its key, in files.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A request. Without a body it is a GET, with one a POST, if not said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) method: Option<&'a str>,
    pub(crate) url: &'a str,
    /// By which certificates the server is verified; without, it is not.
    pub(crate) trusted: Option<&'a Path>,
    pub(crate) client: Option<&'a Pair>,
    pub(crate) headers: &'a [String],
    pub(crate) body: Option<&'a str>,
    /// Where the server really listens, whatever the URL says: `HOST:PORT`.
    pub(crate) at: Option<&'a str>,
}

/// The answer of a server that did not refuse the connection.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Request<'_> {
    /// The server's answer; an error when the connection fails, such as by one side's refusal of a certificate.
    pub(crate) fn send(&self) -> Result<Answer> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--http1.1", "--noproxy", "*", "--max-time", "20"]);
        command.args(["--write-out", "\n%{http_code}", self.url]);
        match self.trusted {
            Some(trusted) => command.arg("--cacert").arg(trusted),
            None => command.arg("--insecure"),
        };
        if let Some(Pair { certificate, key }) = self.client {
            command.arg("--cert").arg(certificate).arg("--key").arg(key);
        }
        for header in self.headers {
            command.args(["--header", header]);
        }
        if let Some(method) = self.method {
            command.args(["--request", method]);
        }
        if self.body.is_some() {
            command.args(["--header", "Content-Type: application/json", "--data-binary", "@-"]);
        }
        if let Some(at) = self.at {
            command.args(["--connect-to", &format!("::{at}")]);
        }
        let said = output(&mut command, self.body.unwrap_or_default())?;
        let (body, status) = said.rsplit_once('\n').ok_or("curl says nothing")?;
        Ok(Answer { status: status.parse()?, body: body.to_owned() })
    }
}
