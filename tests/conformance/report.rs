//! One line for each check, and the counts.

use std::error::Error;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// What a check has seen, or why it is red.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The checks so far.
#[derive(Debug)]
pub(crate) struct Report {
    /// Parts of the titles of the sections that are asked for; none means all.
    chosen: Vec<String>,
    section: String,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    pub(crate) fn new(chosen: Vec<String>) -> Self {
        Self { chosen, section: String::new(), passed: 0, failed: 0, skipped: 0 }
    }

    /// Checks that belong together. An error, such as a component that does not start, is one failed check.
    pub(crate) fn section(&mut self, title: &str, checks: impl FnOnce(&mut Self) -> Result) {
        if !self.chosen.is_empty() && !self.chosen.iter().any(|part| title.contains(part)) {
            return;
        }
        title.clone_into(&mut self.section);
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| checks(self))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.red("the checks are run to their end", &*error),
            Err(_) => self.red("the checks are run to their end", &"a panic, described above"),
        }
        println!("     {title}: {:.1} s", start.elapsed().as_secs_f64());
    }

    /// A check that must be green.
    pub(crate) fn check(&mut self, what: &str, verdict: Result<impl Display>) {
        match verdict {
            Ok(seen) => self.green(what, &seen),
            Err(error) => self.red(what, &*error),
        }
    }

    /// A check that something broken on purpose must turn red, with `complaint` in what it says.
    pub(crate) fn mutation(&mut self, broken: &str, check: &str, complaint: &str, verdict: Result<String>) {
        let what = format!("mutation {broken}");
        match verdict.map_err(|error| error.to_string()) {
            Err(said) if said.contains(complaint) => {
                self.green(&what, &format!("turned red: {check}: {}", part_around(&said, complaint)));
            }
            Err(said) => self.red(&what, &format!("expected {check} to say {complaint:?}, found {said}")),
            Ok(seen) => self.red(&what, &format!("expected {check} to turn red, found it green: {seen}")),
        }
    }

    /// A check that cannot be made on this machine.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        self.skipped += 1;
        println!("skip {}: {what}: {why}", self.section);
    }

    /// The closing line.
    pub(crate) fn close(&self) -> ExitCode {
        println!("\n{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn green(&mut self, what: &str, seen: &dyn Display) {
        self.passed += 1;
        println!("ok   {}: {what}: {seen}", self.section);
    }

    fn red(&mut self, what: &str, why: &dyn Display) {
        self.failed += 1;
        println!("FAIL {}: {what}: {why}", self.section);
    }
}

/// That both are the same.
pub(crate) fn same<T: PartialEq + Display>(expected: &T, found: T) -> Result<T> {
    if found == *expected { Ok(found) } else { Err(format!("expected {expected}, found {found}").into()) }
}

/// The line with `part`, and of a long one what stands near it.
fn part_around<'a>(text: &'a str, part: &str) -> &'a str {
    const NEAR: usize = 120;
    let line = text.lines().find(|line| line.contains(part)).unwrap_or(text).trim();
    let at = line.find(part).unwrap_or(0);
    let start = line.floor_char_boundary(at.saturating_sub(NEAR));
    let end = line.ceil_char_boundary((at + part.len() + NEAR).min(line.len()));
    &line[start..end]
}
