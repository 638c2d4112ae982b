//! A plan as JSON, as docs/report.md says.

use super::{Action, Blocked, Effect, Plan, Reason, Step};
use crate::document::{Value, text, to_json};

/// Of the JSON: it changes when a field changes its meaning or goes away, not when one is added.
const VERSION: i128 = 1;

impl Plan {
    /// The plan as JSON. `docs/report.md` of this project says what each field means.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_json(&Value::map([
            ("version", Value::Integer(VERSION)),
            ("at", text(self.now)),
            ("steps", list(&self.steps, step)),
            ("blocked", list(&self.blocked, blocked)),
            ("restarts", list(&self.restarts, effect)),
            ("reloads", list(&self.reloads, effect)),
        ]))
        .to_string()
    }
}

impl Action {
    /// The stable name: `issue-for-same-key`.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::RenewAuthority => "renew-authority",
            Self::Issue => "issue",
            Self::IssueForSameKey => "issue-for-same-key",
            Self::ListPublicKey => "list-public-key",
            Self::Trust => "trust",
            Self::PointTo(_) => "point-to",
            Self::Verify => "verify",
            Self::CutTrailingData => "cut-trailing-data",
            Self::SetMode(_) => "set-mode",
        }
    }
}

impl Reason {
    /// The stable name: `expiring`; of a finding, its id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Expiring { .. } => "expiring",
            Self::SansChanged => "sans-changed",
            Self::SubjectChanged => "subject-changed",
            Self::AlgorithmChanged => "algorithm-changed",
            Self::Finding(id) => id.id(),
            Self::Asked => "asked",
        }
    }
}

fn step(step: &Step) -> Value {
    let subjects = step.difference.subjects();
    Value::map([
        ("role", text(step.role)),
        ("action", text(step.action.id())),
        ("what", text(&step.action)),
        ("files", Value::List(step.files().map(|file| text(file.display())).collect())),
        ("reasons", list(&step.reasons, |reason| text(reason.id()))),
        ("because", list(&step.because, text)),
        ("ends", step.ends.map_or(Value::Null, text)),
        ("shortened_from", step.shortened_from.map_or(Value::Null, text)),
        ("old_subject", subjects.map_or(Value::Null, |(old, _)| text(old))),
        ("new_subject", subjects.map_or(Value::Null, |(_, new)| text(new))),
        ("added_sans", list(&step.difference.added_sans, text)),
        ("removed_sans", list(&step.difference.removed_sans, text)),
    ])
}

fn blocked(blocked: &Blocked) -> Value {
    Value::map([
        ("file", text(blocked.file.display())),
        ("role", blocked.role.map_or(Value::Null, text)),
        ("severity", text(blocked.severity)),
        ("finding", blocked.finding.map_or(Value::Null, text)),
        ("what", text(&blocked.what)),
        ("why", text(&blocked.why)),
    ])
}

fn effect(effect: &Effect) -> Value {
    Value::map([
        ("component", text(effect.component())),
        ("files", Value::List(effect.files().map(|file| text(file.display())).collect())),
    ])
}

fn list<'a, T: 'a>(items: impl IntoIterator<Item = &'a T>, one: impl Fn(&'a T) -> Value) -> Value {
    Value::List(items.into_iter().map(one).collect())
}
