//! Common names and groups: who the holder is.

use super::{Audit, Leaf, list};
use crate::finding::{Finding, FindingId, Severity};
use crate::role::{NODE_USER, Role, looks_like_group};

/// A new group has no power before it is bound, and without power nobody can bind it.
const REBIND: &str = "with this file, apply the ClusterRoleBinding of the new group (kubeadm:cluster-admins); then remove \
                      the file, and a plan makes it with that group";

impl Audit<'_> {
    pub(super) fn subject(&mut self, leaf: &Leaf<'_>) {
        self.common_name(leaf);
        self.groups(leaf);
    }

    fn common_name(&mut self, leaf: &Leaf<'_>) {
        let (expected, found) = (leaf.profile.common_name(), leaf.certificate.subject().common_name());
        if found == Some(expected) {
            return;
        }
        // The API server that shows its serving certificate to kubelets is somebody there.
        let is_identity = leaf.role == Role::ApiServer && leaf.profile.is_client();
        let is_node = |name: &str| name.starts_with(NODE_USER);
        let id = match leaf.role.accepts().other_common_name {
            Severity::Note | Severity::Warning if !is_identity => FindingId::DiffersFromConvention,
            _ if is_node(expected) && found.is_some_and(is_node) => FindingId::NodeNameMismatch,
            _ => FindingId::WrongCommonName,
        };
        let found = found.map_or("none".to_owned(), |name| format!("CN={name}"));
        self.findings.push(leaf.finding(id, format!("CN={expected}"), found));
    }

    fn groups(&mut self, leaf: &Leaf<'_>) {
        let (subject, accepts) = (leaf.certificate.subject(), leaf.role.accepts());
        let rule = leaf.profile.rule_organizations();
        let groups: Vec<&str> = subject.organizations().collect();
        let is_rule = |group: &str| rule.iter().any(|known| known == group);
        let is_known =
            |group: &str| is_rule(group) || accepts.groups.iter().any(|(known, _)| *known == group);
        if !rule.is_empty() && !groups.iter().any(|group| is_known(group)) {
            let expected = format!("the group {}", list(rule.iter().map(|group| format!("O={group}"))));
            let finding = match subject.organizational_units().find(|unit| looks_like_group(unit)) {
                Some(unit) => {
                    let mend = format!(
                        "Kubernetes ignores OU: the group belongs into O (did you mean O={unit}?); {}",
                        leaf.mend
                    );
                    leaf.finding(FindingId::GroupInOrganizationalUnit, expected, format!("OU={unit}"))
                        .mend_by(mend)
                }
                None => {
                    // A site's own group may be bound to something.
                    let severity = match accepts.no_group {
                        Severity::Error if !groups.is_empty() => accepts.other_group,
                        severity => severity,
                    };
                    let id = match severity {
                        Severity::Note => FindingId::DiffersFromConvention,
                        _ => FindingId::GroupMissing,
                    };
                    let found = list(groups.iter().map(|group| format!("O={group}")));
                    rebound(leaf.judged(severity, id, expected, found))
                }
            };
            self.findings.push(finding);
        }
        let unexpected = groups.iter().filter(|group| !is_rule(group));
        let judged: Vec<_> = unexpected.map(|group| (accepts.group(group), *group)).collect();
        let Some(worst) = judged.iter().map(|(severity, _)| *severity).max() else { return };
        let id = if worst == Severity::Note {
            FindingId::DiffersFromConvention
        } else {
            FindingId::GroupUnexpected
        };
        let expected = match rule {
            [] => "no group".to_owned(),
            rule => format!("no group but {}", rule.join(", ")),
        };
        let found = list(judged.iter().map(|(_, group)| format!("O={group}")));
        self.findings.push(rebound(leaf.judged(worst, id, expected, found)));
    }
}

/// An administrator whose group is accepted keeps it.
fn rebound(finding: Finding) -> Finding {
    match (finding.role(), finding.severity()) {
        (Some(Role::Admin), Severity::Warning) => finding.mend_by(REBIND),
        _ => finding,
    }
}
