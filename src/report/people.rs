//! The report as text for people.

use std::fmt;

use super::Report;
use super::certificates::is_external;
use crate::finding::{Finding, Severity};
use crate::role::Role;
use crate::text::Printable;
use crate::time::Time;
use crate::x509::Certificate;

const HEAD: [&str; 5] = ["FILE", "ROLE", "EXPIRES", "SIGNED BY", "WORST FINDING"];

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table(f, &self.rows())?;
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            for finding in self.findings.iter().filter(|finding| finding.severity() == severity) {
                write_finding(f, finding)?;
            }
        }
        writeln!(f, "\n{}", self.verdict())
    }
}

impl Report<'_> {
    /// Each certificate; a role whose certificate is missing or cannot be read has a row too.
    fn rows(&self) -> Vec<[String; 5]> {
        let mut rows = vec![HEAD.map(str::to_owned)];
        for role in Role::all() {
            let worst = self.findings.iter().find(|finding| finding.role() == Some(role));
            let about = worst.map_or("ok".to_owned(), |worst| format!("{} {}", worst.severity(), worst.id()));
            let before = rows.len();
            for entry in self.certificates.iter().filter(|entry| entry.role == role) {
                let certificate = &entry.certificate;
                rows.push([
                    Printable(entry.file.display()).to_string(),
                    role.to_string(),
                    self.expiry(certificate),
                    self.signed_by(entry.role, entry.signer, certificate),
                    about.clone(),
                ]);
            }
            if let (Some(worst), true) = (worst, rows.len() == before && role != Role::ServiceAccount) {
                let file = Printable(worst.file().display()).to_string();
                rows.push([file, role.to_string(), "-".to_owned(), "-".to_owned(), about]);
            }
        }
        rows
    }

    fn expiry(&self, certificate: &Certificate) -> String {
        let at = certificate.not_after();
        let day = at.to_string();
        let day = day.split_once('T').map_or(day.as_str(), |(day, _)| day);
        format!("{day} ({})", residual(at, self.now))
    }

    fn signed_by(&self, role: Role, signer: Option<Role>, certificate: &Certificate) -> String {
        let Some(signer) = signer else { return format!("? ({})", certificate.issuer()) };
        let name = if signer == role && certificate.is_self_signed() { "itself" } else { signer.id() };
        match signer.is_authority() && is_external(self.pki, signer) {
            true => format!("{name} (external)"),
            false => name.to_owned(),
        }
    }

    fn verdict(&self) -> String {
        let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
            match self.findings.iter().filter(|finding| finding.severity() == severity).count() {
                1 => format!("1 {severity}"),
                count => format!("{count} {severity}s"),
            }
        });
        let verdict = match self.findings.worst() {
            Some(Severity::Error) => "Not in order",
            Some(Severity::Warning) => "In order, with warnings",
            Some(Severity::Note) | None => "In order",
        };
        let first = self.certificates.iter().min_by_key(|entry| entry.certificate.not_after());
        let first = first.map_or("no certificate".to_owned(), |entry| {
            let file = Printable(entry.file.display());
            format!("first to expire: {file} ({})", residual(entry.certificate.not_after(), self.now))
        });
        format!("{verdict} at {}: {}; {first}", self.now, counts.join(", "))
    }
}

/// Two columns are apart by two spaces; the last is not padded.
fn table(f: &mut fmt::Formatter<'_>, rows: &[[String; 5]]) -> fmt::Result {
    let mut widths = [0; 5];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let line: String = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

fn write_finding(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    write!(f, "\n{} {}: {}", finding.severity(), finding.id(), Printable(finding.file().display()))?;
    match finding.role() {
        Some(role) => writeln!(f, " ({role})")?,
        None => writeln!(f)?,
    }
    let lines = [("expected", finding.expected()), ("found", finding.found()), ("mend", finding.mend())];
    lines
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .try_for_each(|(what, text)| writeln!(f, "  {what:8}  {text}"))
}

/// How long it is from `now` until `at`, in the unit that a person would say.
fn residual(at: Time, now: Time) -> String {
    let seconds = at.unix() - now.unix();
    let amount = match seconds.abs() {
        minutes @ ..7200 => format!("{} min", minutes / 60),
        hours @ ..172_800 => format!("{} h", hours / 3600),
        days => format!("{} d", days / 86_400),
    };
    if seconds < 0 { format!("{amount} ago") } else { format!("in {amount}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residual_times_are_in_the_unit_that_a_person_would_say() {
        let now = Time::from_unix(1_000_000_000).unwrap();
        for (seconds, expected) in [
            (0, "in 0 min"),
            (-1, "0 min ago"),
            (7199, "in 119 min"),
            (7200, "in 2 h"),
            (172_799, "in 47 h"),
            (172_800, "in 2 d"),
            (-172_800, "2 d ago"),
            (315_360_000, "in 3650 d"),
        ] {
            let at = Time::from_unix(now.unix() + seconds).unwrap();
            assert_eq!(residual(at, now), expected);
        }
    }
}
