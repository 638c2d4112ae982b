//! Go's crypto/x509 and crypto/tls: what every Kubernetes component will say.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use base64ct::{Base64, Encoding};

use super::{Check, Usage, run, said};

/// The answers to all checks, in their order. A check with a key also asks whether it belongs to the certificate.
pub(crate) fn verify(checks: &[(Check<'_>, Option<&Path>)]) -> Vec<Result<(), String>> {
    let mut input = Vec::new();
    for (check, key) in checks {
        let usage = match check.usage {
            Usage::Server => "server",
            Usage::Client => "client",
        };
        let key = key.map_or(OsStr::new(""), Path::as_os_str);
        let at = check.at.map(|at| at.to_string()).unwrap_or_default();
        let fields: [&OsStr; 6] = [
            usage.as_ref(),
            check.chain.as_ref(),
            key,
            check.trusted.as_ref(),
            check.name.unwrap_or_default().as_ref(),
            at.as_ref(),
        ];
        input.extend_from_slice(fields.join(OsStr::new("\t")).as_encoded_bytes());
        input.push(b'\n');
    }
    let answers = ask(input);
    assert_eq!(answers.len(), checks.len(), "one answer for each check");
    answers.into_iter().map(|line| if line == "ok" { Ok(()) } else { Err(line) }).collect()
}

/// The common name and the organizations that Go reads in the first certificate of each file; what it objects to where
/// it reads none.
pub(crate) fn subjects(files: &[PathBuf]) -> Vec<Result<(String, Vec<String>), String>> {
    let lines = files.iter().flat_map(|file| [b"subject\t", file.as_os_str().as_encoded_bytes(), b"\n"]);
    let answers = ask(lines.flatten().copied().collect());
    assert_eq!(answers.len(), files.len(), "one answer for each file");
    answers.into_iter().map(|line| serde_json::from_str(&line).map_err(|_| line)).collect()
}

/// A request that Go is to sign as kube-controller-manager would.
#[derive(Clone, Debug)]
pub(crate) struct ToSign<'a> {
    /// PKCS#10 in DER.
    pub(crate) request: Vec<u8>,
    /// As the object spells them.
    pub(crate) usages: Vec<&'a str>,
    /// What the object asks for, and the cluster's signing duration, in seconds.
    pub(crate) expiration: Option<u64>,
    pub(crate) duration: u64,
    /// The authority's files.
    pub(crate) certificate: &'a Path,
    pub(crate) key: &'a Path,
    /// In Unix seconds.
    pub(crate) now: i64,
    pub(crate) serial_number: Vec<u8>,
}

/// The certificates that Go makes, in DER; what it objects to.
pub(crate) fn sign(requests: &[ToSign<'_>]) -> Vec<Result<Vec<u8>, String>> {
    let line = |it: &ToSign<'_>| {
        let serial: String = it.serial_number.iter().map(|byte| format!("{byte:02x}")).collect();
        let expiration = it.expiration.map(|seconds| seconds.to_string()).unwrap_or_default();
        let (certificate, key) = (it.certificate.display(), it.key.display());
        let (request, usages) = (Base64::encode_string(&it.request), it.usages.join(","));
        format!(
            "sign\t{request}\t{usages}\t{expiration}\t{}\t{certificate}\t{key}\t{}\t{serial}\n",
            it.duration, it.now
        )
    };
    let answers = ask(requests.iter().map(line).collect::<String>().into_bytes());
    assert_eq!(answers.len(), requests.len(), "one answer for each request");
    answers.into_iter().map(|line| Base64::decode_vec(&line).map_err(|_| line)).collect()
}

/// What Go reads in requests (DER) whose signatures it verifies: subject, DNS names, e-mail addresses, IP addresses and
/// URIs, in JSON; what it objects to.
pub(crate) fn requests(requests: &[Vec<u8>]) -> Vec<Result<String, String>> {
    let lines = requests.iter().map(|der| format!("request\t{}\n", Base64::encode_string(der)));
    let answers = ask(lines.collect::<String>().into_bytes());
    assert_eq!(answers.len(), requests.len(), "one answer for each request");
    answers.into_iter().map(|line| if line.starts_with('[') { Ok(line) } else { Err(line) }).collect()
}

/// The judge's answers, a line each.
fn ask(input: Vec<u8>) -> Vec<String> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| build("go"));
    answer(program, input).lines().map(str::to_owned).collect()
}

/// What a program says to this input.
pub(super) fn answer(program: &Path, input: Vec<u8>) -> String {
    let mut judge = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the judge was just built");
    let mut stdin = judge.stdin.take().expect("a pipe");
    // From a thread of its own: a batch may be longer than what two pipes hold.
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = judge.wait_with_output().expect("the judge's answer");
    writer.join().expect("no panic").expect("the judge reads all");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A server that says what it is asked, and is a webhook: see its source in `go_server`.
pub(crate) fn server() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("go_server"))
}

/// Builds the program in a directory beside this file.
pub(super) fn build(directory: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{directory}-judge"));
    let mut command = Command::new("go");
    command
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges").join(directory))
        .envs([
            ("GOFLAGS", "-mod=readonly -buildvcs=false"),
            ("GOTOOLCHAIN", "local"),
            ("GOWORK", "off"),
            ("CGO_ENABLED", "0"),
        ]);
    let output = run(&mut command);
    assert!(output.status.success(), "go build: {}", said(&output));
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judges::sample::sample;

    #[test]
    fn go_accepts_a_chain_for_its_purpose_names_and_key_only() {
        let sample = sample();
        let check = sample.check();
        let answers = verify(&[
            (check, Some(&sample.key)),
            (Check { trusted: &sample.intermediate, name: Some("127.0.0.1"), ..check }, None),
            (Check { name: None, ..check }, None),
            (Check { name: Some("other.example.com"), ..check }, None),
            (Check { usage: Usage::Client, ..check }, None),
            (Check { at: Some(946_684_800), ..check }, None),
            (Check { trusted: &sample.stranger, ..check }, None),
            (check, Some(&sample.stranger_key)),
        ]);
        assert_eq!(answers[..3], [Ok(()), Ok(()), Ok(())]);
        let complaints = [
            "not other.example.com",
            "incompatible key usage",
            "not yet valid",
            "unknown authority",
            "private key does not match",
        ];
        for (answer, complaint) in answers[3..].iter().zip(complaints) {
            let said = answer.as_ref().unwrap_err();
            assert!(said.contains(complaint), "{complaint}: {said}");
        }
    }
}
