//! Programs that are started and ended, and those that answer and end by themselves.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::report::Result;

/// Long enough for everything here, on a machine with other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; all it says goes to `log`. However this process ends, the program ends with it.
    pub(crate) fn start(program: &Command, log: PathBuf) -> Result<Self> {
        let name = program.get_program().to_string_lossy().into_owned();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program.get_program()).args(program.get_args());
        if let Some(directory) = program.get_current_dir() {
            command.current_dir(directory);
        }
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        Ok(Self { name, child, log })
    }

    /// Waits until `ready` says so; fails when the program ends before.
    pub(crate) fn wait_until<T>(&mut self, ready: impl FnMut() -> Result<T>) -> Result<T> {
        let Self { name, child, log } = self;
        let alive = || matches!(child.try_wait(), Ok(None));
        poll(ready, alive).map_err(|error| format!("{name}: {error}\n{}", last_lines(log)).into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until the answer is good.
pub(crate) fn eventually<T>(ask: impl FnMut() -> Result<T>) -> Result<T> {
    poll(ask, || true)
}

fn poll<T>(mut ask: impl FnMut() -> Result<T>, mut alive: impl FnMut() -> bool) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) if Instant::now() > deadline || !alive() => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// What a program prints; an error is what it complains about.
pub(crate) fn output(command: &mut Command, input: &str) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error| format!("{name}: {error}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // A program that reads none of it may end before.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{}{}", String::from_utf8_lossy(&output.stderr).trim_end(), said).into()),
    }
}

/// kubectl with a kubeconfig of ours.
pub(crate) fn kubectl(kubeconfig: &Path, arguments: &[&str], input: &str) -> Result<String> {
    let mut command = Command::new("kubectl");
    command.env_remove("KUBECONFIG").arg("--kubeconfig").arg(kubeconfig).args(arguments);
    output(&mut command, input)
}
