//! check_pki and renew_pki, the examples that judge a directory and mend it, run as anybody would.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::report::Result;
use crate::root::Root;

/// What check_pki finds in /etc/kubernetes of a root, as JSON has it. Its exit status must agree with it.
pub(crate) fn findings(root: &Root, options: &[&str]) -> Result<Vec<Value>> {
    let mut command = Command::new("check_pki");
    let said =
        command.args(["/etc/kubernetes", "--json", "--root"]).arg(root.path("/")).args(options).output()?;
    let complaint = String::from_utf8_lossy(&said.stderr);
    let report: Value =
        serde_json::from_slice(&said.stdout).map_err(|error| format!("{error}: {complaint}"))?;
    let findings = report["findings"].as_array().ok_or("expected findings, found none")?.clone();
    let errors = findings.iter().filter(|it| it["severity"] == "error").count();
    match (said.status.code(), errors) {
        (Some(0), 0) | (Some(1), 1..) => Ok(findings),
        (code, _) => Err(format!("{errors} errors, and exit status {code:?}: {complaint}").into()),
    }
}

/// That check_pki finds no error, and no warning but these.
pub(crate) fn is_clean(root: &Root, options: &[&str], warnings: &[(&str, &str)]) -> Result<String> {
    let findings = findings(root, options)?;
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let mut notes = BTreeMap::<String, usize>::new();
    for finding in &findings {
        let (id, file) = (text(finding, "id"), text(finding, "file"));
        match &*text(finding, "severity") {
            "note" => *notes.entry(id).or_default() += 1,
            "warning" if warnings.contains(&(&id, &file)) => {}
            _ => return Err(finding.to_string().into()),
        }
    }
    let found = findings.iter().filter(|it| it["severity"] == "warning").count();
    if found != warnings.len() {
        return Err(format!("expected the warnings {warnings:?}, found {findings:?}").into());
    }
    Ok(format!("{found} warnings, notes {notes:?}"))
}

/// The files below a root that renew_pki changes, and what it prints.
pub(crate) fn renew(root: &Root, options: &[&str]) -> Result<(Vec<PathBuf>, String)> {
    let before = root.everything()?;
    let mut command = Command::new("renew_pki");
    let output = command.args(["/etc/kubernetes", "--root"]).arg(root.path("/")).args(options).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // Without an authority's key what is asked for is blocked.
    let is_blocked = output.status.code() == Some(1) && said.contains("blocked:\n");
    if !output.status.success() && !is_blocked {
        return Err(format!("{}: {}{said}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    let after = root.everything()?;
    let mut changed: Vec<_> =
        after.iter().filter(|(path, new)| before.get(*path) != Some(new)).map(|it| it.0.clone()).collect();
    changed.extend(before.keys().filter(|path| !after.contains_key(*path)).cloned());
    Ok((changed, said))
}
