//! A plan as text, for whoever has to decide on it.

use std::fmt;

use super::{Action, Blocked, Effect, Plan, Reason, Step};
use crate::text::Printable;

impl fmt::Display for Plan {
    /// Each step with its reasons, what is blocked, and who restarts; `nothing to do` where there is neither.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() && self.blocked.is_empty() {
            return f.write_str("nothing to do\n");
        }
        self.steps.iter().try_for_each(|step| write!(f, "{step}"))?;
        if !self.blocked.is_empty() {
            f.write_str("blocked:\n")?;
            self.blocked.iter().try_for_each(|blocked| writeln!(f, "  {blocked}"))?;
        }
        effects(f, "restart", &self.restarts)?;
        effects(f, "reloads by itself", &self.reloads)
    }
}

fn effects(f: &mut fmt::Formatter<'_>, what: &str, effects: &[Effect]) -> fmt::Result {
    effects.iter().try_for_each(|effect| writeln!(f, "{what}: {effect}"))
}

impl fmt::Display for Step {
    /// The files, what is done with them, why, and what then is different.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files().map(|file| file.display().to_string()).collect();
        write!(f, "{}: {}", files.join(", "), self.action)?;
        match (self.ends, self.shortened_from) {
            (Some(ends), None) => writeln!(f, ", until {ends}")?,
            (Some(ends), Some(_)) => writeln!(f, ", until {ends}, when its authority ends")?,
            (None, _) => writeln!(f)?,
        }
        self.because.iter().try_for_each(|because| writeln!(f, "    because {because}"))?;
        if let Some((old, new)) = self.difference.subjects() {
            writeln!(f, "    - subject {old}\n    + subject {new}")?;
        }
        self.difference.removed_sans.iter().try_for_each(|san| writeln!(f, "    - {san}"))?;
        self.difference.added_sans.iter().try_for_each(|san| writeln!(f, "    + {san}"))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RenewAuthority => {
                "renew the authority for the same key (other nodes and clients need its new certificate too)"
            }
            Self::Issue => "issue with a new key",
            Self::IssueForSameKey => "issue for the same key",
            Self::ListPublicKey => "put the public half of sa.key first",
            Self::Trust => "trust the cluster's authority",
            Self::PointTo(url) => return write!(f, "point to {url}"),
            Self::Verify => "have the server's certificate verified",
            Self::CutTrailingData => "take away what stands behind the PEM",
            Self::SetMode(mode) => return write!(f, "mode {mode:04o}"),
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("it is not there"),
            Self::Expiring { at } => write!(f, "it ends at {at}"),
            Self::SansChanged => f.write_str("names are missing"),
            Self::SubjectChanged => f.write_str("the subject is another"),
            Self::AlgorithmChanged => f.write_str("the key algorithm is another"),
            Self::Finding(id) => id.fmt(f),
            Self::Asked => f.write_str("all are asked for"),
        }
    }
}

impl fmt::Display for Blocked {
    /// `pki/ca.crt: expired: its key is elsewhere ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, what, why, .. } = self;
        write!(f, "{}: {what}: {}", Printable(file.display()), Printable(why))
    }
}
