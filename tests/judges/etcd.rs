//! etcd: three members on the loopback interface, because a single one never uses its peer certificate.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{free_port, missing, run, verdict};

/// One member: where its process runs, so that relative paths mean its own files, and its certificate arguments.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) directory: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// Members that run until this is dropped.
#[derive(Debug)]
pub(crate) struct Etcd {
    processes: Vec<Child>,
    endpoints: String,
    peers: Vec<String>,
    scratch: tempfile::TempDir,
}

impl Etcd {
    /// Long enough for an election on a machine with other things to do.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Starts the members, each with client and peer ports of its own on 127.0.0.1.
    pub(crate) fn start(members: &[Member]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let urls: Vec<_> = members
            .iter()
            .map(|_| [free_port(), free_port()].map(|port| format!("https://127.0.0.1:{port}")))
            .collect();
        let endpoints = urls.iter().map(|[client, _]| client.as_str()).collect::<Vec<_>>().join(",");
        let peers: Vec<_> =
            urls.iter().enumerate().map(|(index, [_, peer])| format!("member-{index}={peer}")).collect();

        let peer_urls = urls.iter().map(|[_, peer]| peer.clone()).collect();
        let mut etcd = Self { processes: Vec::new(), endpoints, peers: peer_urls, scratch };
        for (index, (member, [client, peer])) in members.iter().zip(&urls).enumerate() {
            let name = format!("member-{index}");
            let log = File::create(etcd.scratch.path().join(format!("{name}.log"))).unwrap();
            let mut command = Command::new("etcd");
            command
                .current_dir(&member.directory)
                .args(["--name", &name, "--data-dir"])
                .arg(etcd.scratch.path().join(&name))
                .args(["--listen-client-urls", client, "--advertise-client-urls", client])
                .args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer])
                .args(["--initial-cluster", &peers.join(","), "--initial-cluster-state", "new"])
                .args(["--logger", "zap", "--log-outputs", "stderr"])
                .args(&member.arguments)
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log);
            etcd.processes.push(command.spawn().unwrap_or_else(|error| missing(&command, &error)));
        }
        etcd
    }

    /// The URLs for clients, with commas between them.
    #[allow(dead_code, reason = "the conformance checks want it")]
    pub(crate) fn endpoints(&self) -> &str {
        &self.endpoints
    }

    /// The URLs for other members.
    #[allow(dead_code, reason = "the conformance checks want it")]
    pub(crate) fn peers(&self) -> &[String] {
        &self.peers
    }

    /// Waits until `etcdctl endpoint health` finds every member healthy. `arguments` are etcdctl's `--cacert`, `--cert`
    /// and `--key`; paths among them are relative to `directory`.
    pub(crate) fn healthy<S: AsRef<OsStr>>(
        &mut self,
        directory: &Path,
        arguments: &[S],
    ) -> Result<(), String> {
        self.healthy_within(Self::PATIENCE, directory, arguments)
    }

    /// The same, with another patience.
    pub(crate) fn healthy_within<S: AsRef<OsStr>>(
        &mut self,
        patience: Duration,
        directory: &Path,
        arguments: &[S],
    ) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        loop {
            let Err(complaint) = self.asked(directory, arguments) else { return Ok(()) };
            let ended = self.processes.iter_mut().any(|process| !matches!(process.try_wait(), Ok(None)));
            if ended || Instant::now() > deadline {
                return Err(format!("{complaint}\n{}", self.logs()));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// What `etcdctl endpoint health` says now.
    pub(crate) fn asked<S: AsRef<OsStr>>(&self, directory: &Path, arguments: &[S]) -> Result<(), String> {
        verdict(&run(Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .current_dir(directory)
            .args(["--endpoints", &self.endpoints, "--command-timeout", "3s"])
            .args(arguments)
            .args(["endpoint", "health"])))
    }

    /// All that the members have logged so far.
    pub(crate) fn logs(&self) -> String {
        (0..self.processes.len())
            .map(|index| {
                let log = self.scratch.path().join(format!("member-{index}.log"));
                String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
            })
            .collect()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judges::sample::{Sample, sample};

    const CLIENT: &[&str] = &["--cacert", "root.crt", "--cert", "member.crt", "--key", "member.key"];
    const STRANGER: &[&str] = &["--cacert", "root.crt", "--cert", "stranger.crt", "--key", "stranger.key"];

    /// Three members that use the same files, the server certificate by its name.
    fn members(sample: &Sample, server: &str) -> Vec<Member> {
        let arguments = [
            &format!("--cert-file={server}.crt"),
            &format!("--key-file={server}.key"),
            "--client-cert-auth=true",
            "--trusted-ca-file=root.crt",
            "--peer-cert-file=member.crt",
            "--peer-key-file=member.key",
            "--peer-client-cert-auth=true",
            "--peer-trusted-ca-file=root.crt",
        ]
        .map(str::to_owned);
        vec![Member { directory: sample.directory().to_owned(), arguments: arguments.to_vec() }; 3]
    }

    #[test]
    fn etcd_is_healthy_for_a_client_that_it_trusts_only() {
        let sample = sample();
        let mut etcd = Etcd::start(&members(sample, "member"));
        etcd.healthy(sample.directory(), CLIENT).unwrap();
        assert!(!etcd.logs().contains("incompatible key usage"), "{}", etcd.logs());
        etcd.asked(sample.directory(), STRANGER).unwrap_err();
    }

    #[test]
    fn etcd_says_in_its_log_that_a_server_certificate_is_no_client_certificate() {
        let sample = sample();
        let mut etcd = Etcd::start(&members(sample, "server-only"));
        etcd.healthy(sample.directory(), CLIENT).unwrap();
        assert!(etcd.logs().contains("incompatible key usage"), "{}", etcd.logs());
    }

    #[test]
    fn etcd_that_cannot_read_its_files_is_never_healthy() {
        let sample = sample();
        let mut etcd = Etcd::start(&members(sample, "absent"));
        let said = etcd.healthy(sample.directory(), CLIENT).unwrap_err();
        assert!(said.contains("absent.crt"), "{said}");
    }
}
