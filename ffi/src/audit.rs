//! What is wrong with a machine's files, and what is to be done about it.

use ::pki::{Expected, Finding, Findings, Pki, Plan, Policy, Report, Severity, Time};

use crate::error::{Fail, kubepki_error};
use crate::expected::kubepki_expected;
use crate::guard::{change, free, kubepki_text, look, make, out, seconds, some};
use crate::owned::kubepki_buffer;
use crate::pki::kubepki_pki;

/// What an audit found, the worst first.
pub struct kubepki_findings {
    findings: Findings,
    files: Vec<String>,
    text: String,
    json: String,
}

/// How bad a finding is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum kubepki_severity {
    /// There is no finding.
    #[default]
    KUBEPKI_SEVERITY_NONE = 0,
    /// Only the convention differs, or nothing needs to be done.
    KUBEPKI_SEVERITY_NOTE = 1,
    /// It will fail soon, or is weak.
    KUBEPKI_SEVERITY_WARNING = 2,
    /// A component would refuse the file, or it grants another identity or more power than its role.
    KUBEPKI_SEVERITY_ERROR = 3,
}

impl From<Option<Severity>> for kubepki_severity {
    fn from(severity: Option<Severity>) -> Self {
        match severity {
            None => Self::KUBEPKI_SEVERITY_NONE,
            Some(Severity::Note) => Self::KUBEPKI_SEVERITY_NOTE,
            Some(Severity::Warning) => Self::KUBEPKI_SEVERITY_WARNING,
            Some(Severity::Error) => Self::KUBEPKI_SEVERITY_ERROR,
        }
    }
}

/// One judgement about one file. docs/findings.md of the project has every id.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_finding {
    /// How bad it is.
    pub severity: kubepki_severity,
    /// What it is about: a stable name, such as `expires-soon`.
    pub id: kubepki_text,
    /// The role of the file; empty where it has none.
    pub role: kubepki_text,
    /// The file, below the directory of the machine's Kubernetes files where it lies there.
    pub file: kubepki_text,
    /// What was expected, for people.
    pub expected: kubepki_text,
    /// What was found instead, for people.
    pub found: kubepki_text,
    /// How to mend it, for people.
    pub mend: kubepki_text,
}

/// What is expected, or where nothing is said of it, what the files tell.
fn wanted<'a>(pki: &'a Pki, expected: Option<&'a kubepki_expected>) -> &'a Expected {
    expected.map_or_else(|| pki.expected(), |expected| &expected.0)
}

/// Says what is wrong with the machine's files: by what is expected of it, or when that is NULL, by what the files
/// themselves tell.
///
/// Threads: any at once. Free `*out` by `kubepki_findings_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_audit(
    pki: Option<&kubepki_pki>,
    expected: Option<&kubepki_expected>,
    now: i64,
    out: *mut *mut kubepki_findings,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let pki = &some(pki, "pki")?.0;
        let findings = pki.audit(wanted(pki, expected), Time::from_unix(now)?);
        let files = findings.iter().map(|finding| finding.file().display().to_string()).collect();
        let (text, json) = (findings.to_string(), findings.to_json());
        Ok(kubepki_findings { findings, files, text, json })
    })
}

/// How many findings there are.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_findings_count(findings: Option<&kubepki_findings>) -> usize {
    look(findings, |findings| findings.findings.len())
}

/// One of the findings; empty beyond the last.
///
/// Threads: any at once. The views live as long as the findings.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_findings_at(findings: Option<&kubepki_findings>, index: usize) -> kubepki_finding {
    look(findings, |findings| match findings.findings.iter().zip(&findings.files).nth(index) {
        Some((finding, file)) => shown(finding, file),
        None => kubepki_finding::default(),
    })
}

fn shown(finding: &Finding, file: &str) -> kubepki_finding {
    kubepki_finding {
        severity: Some(finding.severity()).into(),
        id: finding.id().id().into(),
        role: finding.role().map(|role| role.id()).into(),
        file: file.into(),
        expected: finding.expected().into(),
        found: finding.found().into(),
        mend: finding.mend().into(),
    }
}

/// The worst severity.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_findings_worst(findings: Option<&kubepki_findings>) -> kubepki_severity {
    look(findings, |findings| findings.findings.worst().into())
}

/// The findings as text, for people.
///
/// Threads: any at once. The view lives as long as the findings.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_findings_text(findings: Option<&kubepki_findings>) -> kubepki_text {
    look(findings, |findings| findings.text.as_str().into())
}

/// The findings as JSON: the list that docs/report.md of the project describes.
///
/// Threads: any at once. The view lives as long as the findings.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_findings_json(findings: Option<&kubepki_findings>) -> kubepki_text {
    look(findings, |findings| findings.json.as_str().into())
}

/// Frees findings. NULL is allowed.
///
/// Threads: any, the last to use them.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_findings_free(findings: Option<Box<kubepki_findings>>) {
    free(findings);
}

/// The report of an audit, for people: every certificate with its expiry, its signer and the worst finding about it, then
/// each finding.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_report_text(
    pki: Option<&kubepki_pki>,
    findings: Option<&kubepki_findings>,
    now: i64,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || report(pki, findings, now, |report| report.to_string()))
}

/// The report as JSON, which docs/report.md of the project describes.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_report_json(
    pki: Option<&kubepki_pki>,
    findings: Option<&kubepki_findings>,
    now: i64,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || report(pki, findings, now, |report| report.to_json()))
}

/// The report in the text format of Prometheus.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_report_prometheus(
    pki: Option<&kubepki_pki>,
    findings: Option<&kubepki_findings>,
    now: i64,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || report(pki, findings, now, |report| report.to_prometheus()))
}

fn report(
    pki: Option<&kubepki_pki>,
    findings: Option<&kubepki_findings>,
    now: i64,
    written: impl FnOnce(&Report<'_>) -> String,
) -> Result<kubepki_buffer, Fail> {
    let (pki, findings) = (some(pki, "pki")?, some(findings, "findings")?);
    Ok(kubepki_buffer::new(written(&pki.0.report(&findings.findings, Time::from_unix(now)?))))
}

/// What a plan is to renew, and how.
pub struct kubepki_policy(Policy);

/// Renews what ends within 30 days, with new keys.
///
/// Threads: any. Free `*out` by `kubepki_policy_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_policy_new(out: *mut *mut kubepki_policy) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_policy(Policy::default())))
}

/// Renews what ends within so many seconds.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_policy_set_window(
    policy: Option<&mut kubepki_policy>,
    window_seconds: u64,
) -> Option<Box<kubepki_error>> {
    tell(policy, |policy| policy.within(seconds(window_seconds)))
}

/// Issues for the keys that are there, as long as they can be used.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_policy_keep_keys(
    policy: Option<&mut kubepki_policy>,
) -> Option<Box<kubepki_error>> {
    tell(policy, Policy::keep_keys)
}

/// Issues every leaf certificate again, due or not.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_policy_renew_all(
    policy: Option<&mut kubepki_policy>,
) -> Option<Box<kubepki_error>> {
    tell(policy, Policy::all)
}

/// Frees a policy. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_policy_free(policy: Option<Box<kubepki_policy>>) {
    free(policy);
}

fn tell(
    policy: Option<&mut kubepki_policy>,
    what: impl FnOnce(Policy) -> Policy,
) -> Option<Box<kubepki_error>> {
    change("policy", policy, |known| {
        known.0 = what(known.0.clone());
        Ok(())
    })
}

/// What would be changed on a machine, and why. Nothing happens before it is applied.
pub struct kubepki_plan {
    plan: Plan,
    text: String,
    json: String,
}

/// Makes a plan: what an audit finds and a plan can mend, what ends soon, and what has another key algorithm than is
/// described. `expected` is as for `kubepki_pki_audit`; without a policy (NULL) what ends within 30 days is renewed,
/// with new keys.
///
/// Threads: any at once. Free `*out` by `kubepki_plan_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_plan(
    pki: Option<&kubepki_pki>,
    expected: Option<&kubepki_expected>,
    policy: Option<&kubepki_policy>,
    now: i64,
    out: *mut *mut kubepki_plan,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let pki = &some(pki, "pki")?.0;
        let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
        let plan = pki.plan(wanted(pki, expected), &policy, Time::from_unix(now)?);
        Ok(kubepki_plan { text: plan.to_string(), json: plan.to_json(), plan })
    })
}

/// How many steps there are. With none, applying changes nothing; something may be blocked all the same.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_plan_step_count(plan: Option<&kubepki_plan>) -> usize {
    look(plan, |plan| plan.plan.steps().len())
}

/// How many things are wrong, or due, that no step mends.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_plan_blocked_count(plan: Option<&kubepki_plan>) -> usize {
    look(plan, |plan| plan.plan.blocked().count())
}

/// The plan as text, for people.
///
/// Threads: any at once. The view lives as long as the plan.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_plan_text(plan: Option<&kubepki_plan>) -> kubepki_text {
    look(plan, |plan| plan.text.as_str().into())
}

/// The plan as JSON, which docs/report.md of the project describes.
///
/// Threads: any at once. The view lives as long as the plan.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_plan_json(plan: Option<&kubepki_plan>) -> kubepki_text {
    look(plan, |plan| plan.json.as_str().into())
}

/// Makes the changes in memory: all steps, or when one fails, none. `kubepki_store_commit` then writes what has changed.
/// `KUBEPKI_ERROR_CHANGED` when `pki` is not what the plan was made from.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_plan_apply(
    plan: Option<&kubepki_plan>,
    pki: Option<&mut kubepki_pki>,
) -> Option<Box<kubepki_error>> {
    change("pki", pki, |pki| Ok(some(plan, "plan")?.plan.clone().apply(&mut pki.0)?))
}

/// Frees a plan. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_plan_free(plan: Option<Box<kubepki_plan>>) {
    free(plan);
}
