//! How a plan is made: for each finding what mends it, then for each role the steps that are left of that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cause::{Cause, Mend, mend};
use super::{Action, Blocked, Difference, Extent, Keys, Policy, Reason, Step};
use crate::audit::narrowed;
use crate::authority::{AUTHORITIES, Authority};
use crate::expected::Expected;
use crate::finding::{Finding, FindingId, Severity};
use crate::issuer::BACKDATE;
use crate::key::Signer;
use crate::kubeconfig::Kubeconfig;
use crate::layout::Part;
use crate::names::San;
use crate::pki::{Held, Pki};
use crate::role::table::Files;
use crate::role::{Profile, Role};
use crate::time::Time;
use crate::x509::{AlternativeName, Certificate, DistinguishedName, Usage, check_key, path_to};

const NO_AUTHORITY: &str =
    "an authority is never made: copy it from another control-plane node or from a backup";
const NO_SERVICE_ACCOUNT_KEY: &str =
    "the service-account key is never made: copy sa.key from another control-plane node or from a backup";
const OTHERS: &str = "a kubeconfig names this file, and whoever wrote it renews it: a kubelet does so by \
                      itself while its certificate is valid, and afterwards needs a new kubelet.conf";
const DESCRIBE: &str = "the files alone do not tell what it must say: describe the cluster and the node";
const AS_IT_IS: &str =
    "it would be issued again as it is: describe the cluster and the node to have it issued as they say";
/// A shorter lifetime was an accident.
const SHORTEST: Duration = Duration::from_secs(3600);
const UNJUDGED: &str = "it may be good, and cannot be judged here: describe the cluster and the node to have it \
                        issued anew";
const FOREIGN: &str = "the authority's certificate looks like another cluster's: it is not that of its key, or none of \
                       the certificates here is its; put the right one back, or describe the cluster if it is right";
const OTHER_KEYS: &str = "a plan would drop what cannot be read, and other keys with it, whose tokens would become \
                          invalid: mend the file by hand, or remove it, and a plan makes it of sa.key alone";
const GROUP: &str = "its group is kept, since another may have no power in this cluster yet: apply the \
                     ClusterRoleBinding of the new group, then remove the file, and a plan makes it anew";
const ABOVE: &str = "it stands above the cluster's authorities: renew it where its key is, and put it here";
const CLOCK: &str =
    "look at the clock first: an authority that is valid only later is not made anew for that";
const NOT_DUE: &str = "it is not due by the window that was asked for: ask for a longer one to renew it now";

type Causes = BTreeMap<Role, Vec<Cause>>;

/// What is due, by what mends it.
#[derive(Default)]
struct Due {
    authorities: Causes,
    leaves: Causes,
    public_keys: Vec<Cause>,
    trust: Causes,
    server: Causes,
    verifying: Causes,
    cutting: Vec<(Role, Part, Cause)>,
    modes: BTreeMap<(Role, Part), Vec<Cause>>,
    soon: Vec<(Role, Part, Cause)>,
}

struct Maker<'a> {
    pki: &'a Pki,
    expected: &'a Expected,
    policy: &'a Policy,
    now: Time,
    held: BTreeMap<Role, Held>,
    /// The authorities that are renewed, and when they then end.
    renewed: BTreeMap<Role, Time>,
    /// The kubeconfigs that are made anew, and the files that get other contents.
    written: BTreeSet<(Role, Part)>,
    made_anew: BTreeSet<Role>,
    steps: Vec<Step>,
    blocked: Vec<Blocked>,
}

pub(super) fn make(pki: &Pki, expected: &Expected, policy: &Policy, now: Time) -> (Vec<Step>, Vec<Blocked>) {
    let mut this = Maker {
        pki,
        expected,
        policy,
        now,
        held: Held::all(pki).0,
        renewed: BTreeMap::new(),
        written: BTreeSet::new(),
        made_anew: BTreeSet::new(),
        steps: Vec::new(),
        blocked: Vec::new(),
    };
    let mut due = Due::default();
    for finding in pki.audit(expected, now).iter().filter(|finding| finding.severity() > Severity::Note) {
        this.sort(finding, &mut due);
    }
    for role in Role::all().filter(|role| role.is_authority()) {
        this.authority(role, due.authorities.remove(&role).unwrap_or_default(), &due.trust);
    }
    this.public_keys(std::mem::take(&mut due.public_keys));
    for role in Role::all().filter(|role| is_leaf(*role)) {
        this.leaf(role, due.leaves.remove(&role).unwrap_or_default());
    }
    let mut steps = this.steps.iter().filter(|step| step.role == Role::ApiServer);
    if let Some(server) = steps.find_map(|step| step.profile.as_ref()) {
        // Clients will look for their server's name in the new certificate.
        let findings = pki.audit_servers(&this.held, expected, now, server.sans());
        due.server.clear();
        for finding in findings.iter().filter(|finding| finding.severity() > Severity::Note) {
            this.sort(finding, &mut due);
        }
    }
    this.kubeconfigs(due.trust, |_, _| Ok(Action::Trust));
    this.kubeconfigs(due.server, Maker::server);
    this.kubeconfigs(due.verifying, |_, _| Ok(Action::Verify));
    for (role, part, cause) in due.cutting {
        if !this.written.contains(&(role, part)) {
            this.change_file(role, part, vec![cause], Action::CutTrailingData);
        }
    }
    for ((role, part), causes) in due.modes {
        this.mode(role, part, causes);
    }
    // A leaf that the window leaves out is left out; of an authority one must know in time.
    for (role, part, cause) in due.soon.into_iter().filter(|(role, ..)| role.is_authority()) {
        let is_said = this.blocked.iter().any(|it| it.finding.is_none() && it.file == cause.file);
        if !is_said && !this.written.contains(&(role, part)) {
            this.block(role, [cause], NOT_DUE);
        }
    }
    let mut seen = Vec::new();
    this.blocked.retain(|blocked| {
        let is_new = !seen.contains(blocked);
        seen.push(blocked.clone());
        is_new
    });
    this.blocked.sort_by_key(|blocked| std::cmp::Reverse(blocked.severity));
    (this.steps, this.blocked)
}

/// Whether the role has a certificate that an authority of the cluster signs, in files of its own.
fn is_leaf(role: Role) -> bool {
    !role.is_authority() && matches!(role.row().files, Files::Pair(_) | Files::Kubeconfig { .. })
}

/// Whether it is about what a file holds as a whole.
fn is_unreadable(id: FindingId) -> bool {
    matches!(id, FindingId::NotPem | FindingId::WrongPemType | FindingId::Malformed)
}

impl Maker<'_> {
    /// Puts a finding to what mends it.
    fn sort(&mut self, finding: &Finding, due: &mut Due) {
        let cause = Cause::from_finding(finding);
        let mend = mend(finding.id());
        // What is only not judged here may be as good as what would take its place.
        let is_unjudged = finding.id() == FindingId::Unsupported && finding.severity() < Severity::Error;
        if is_unjudged && !self.expected.is_described() {
            return self.blocked.push(cause.blocked(finding.role(), UNJUDGED));
        }
        if let Mend::Hand = mend {
            return self.blocked.push(cause.blocked(finding.role(), finding.mend()));
        }
        let own = finding.role().and_then(|role| Some((role, self.part(role, finding.file())?)));
        let Some((role, part)) = own else {
            return self.blocked.push(cause.blocked(finding.role(), OTHERS));
        };
        match mend {
            Mend::Certificate => match part {
                Part::Kubeconfig if finding.id() == FindingId::Malformed && self.may_hold_more(role) => {
                    self.blocked.push(cause.blocked(Some(role), finding.mend()));
                }
                _ if role.is_authority() => due.authorities.entry(role).or_default().push(cause),
                Part::PublicKey => due.public_keys.push(cause),
                _ if role == Role::ServiceAccount => {
                    self.blocked.push(cause.blocked(Some(role), NO_SERVICE_ACCOUNT_KEY));
                }
                Part::Kubeconfig if is_unreadable(finding.id()) && self.is_trust_unreadable(role) => {
                    due.trust.entry(role).or_default().push(cause.clone());
                    if self.is_credential_unreadable(role) {
                        due.leaves.entry(role).or_default().push(cause);
                    }
                }
                _ => due.leaves.entry(role).or_default().push(cause),
            },
            Mend::PublicKeys => due.public_keys.push(cause),
            Mend::Cutting => due.cutting.push((role, part, cause)),
            Mend::Mode => due.modes.entry((role, part)).or_default().push(cause),
            Mend::Trust if self.is_foreign(Role::KubernetesCa) => {
                self.blocked.push(cause.blocked(Some(role), FOREIGN));
            }
            Mend::Trust => due.trust.entry(role).or_default().push(cause),
            Mend::Server => due.server.entry(role).or_default().push(cause),
            Mend::Verifying => due.verifying.entry(role).or_default().push(cause),
            Mend::Window => due.soon.push((role, part, cause)),
            Mend::Hand => {}
        }
    }

    /// Whether a kubeconfig that cannot be read is one into which people put users of their own.
    fn may_hold_more(&self, role: Role) -> bool {
        let file = self.pki.file(role, Part::Kubeconfig);
        matches!(role, Role::Admin | Role::SuperAdmin)
            && self.kubeconfig(role).is_none()
            && file.is_some_and(|file| !file.bytes().trim_ascii().is_empty())
    }

    /// Whether an authority's certificate looks like another cluster's: its key is another one, or, where nobody
    /// describes the cluster, it has signed none of several certificates that are its to sign.
    fn is_foreign(&self, authority: Role) -> bool {
        let Some(held) = self.held.get(&authority) else { return false };
        let Some(certificate) = held.certificate() else { return false };
        let is_keys = held.key.as_ref().is_none_or(|key| key.is.public_key() == certificate.public_key());
        let leaves = self.held.iter().filter(|(role, _)| role.authority() == Some(authority));
        let leaves: Vec<_> = leaves.filter(|(_, held)| held.certificate().is_some()).collect();
        let has_signed = leaves.iter().any(|(_, held)| self.is_ours(authority, held));
        !is_keys || (!self.expected.is_described() && leaves.len() > 1 && !has_signed)
    }

    /// Whether a trusted certificate of an authority leads to what is held.
    fn is_ours(&self, authority: Role, held: &Held) -> bool {
        let chain = held.certificates.as_ref().map(|at| at.is.as_slice()).unwrap_or_default();
        let trusted = self.held.get(&authority).and_then(|held| held.certificates.as_ref());
        trusted.is_some_and(|trusted| path_to(chain, &trusted.is, self.now).is_some())
    }

    /// Which of a role's own files this is.
    fn part(&self, role: Role, file: &Path) -> Option<Part> {
        let parts = [Part::Certificate, Part::Key, Part::PublicKey, Part::Kubeconfig];
        parts.into_iter().find(|part| self.shown(role, *part).is_some_and(|path| path == file))
    }

    fn shown(&self, role: Role, part: Part) -> Option<PathBuf> {
        self.pki.layout().shown_path(role, part)
    }

    /// Whether the certificates that a kubeconfig trusts stand in it and cannot be read.
    fn is_trust_unreadable(&self, role: Role) -> bool {
        let cluster = self.kubeconfig(role).and_then(Kubeconfig::current_cluster);
        cluster.is_some_and(|cluster| cluster.certificate_authority_data.is_some())
            && self.held.get(&role).is_some_and(|held| held.trusted.is_none())
    }

    /// Whether what a kubeconfig's user is known by cannot be read.
    fn is_credential_unreadable(&self, role: Role) -> bool {
        self.held.get(&role).is_some_and(|held| held.certificates.is_none() || held.key.is_none())
    }

    fn kubeconfig(&self, role: Role) -> Option<&Kubeconfig> {
        self.held.get(&role)?.kubeconfig.as_ref().map(|at| &at.is)
    }

    fn block(&mut self, role: Role, causes: impl IntoIterator<Item = Cause>, why: &str) {
        self.blocked.extend(causes.into_iter().map(|cause| cause.blocked(Some(role), why)));
    }

    fn push(&mut self, role: Role, action: Action, files: Vec<(Role, Part)>, causes: &[Cause]) -> &mut Step {
        let mut step = Step {
            role,
            action,
            files: Vec::new(),
            reasons: Vec::new(),
            because: Vec::new(),
            difference: Difference::default(),
            profile: None,
            ends: None,
            shortened_from: None,
        };
        for (role, part) in files {
            step.files.extend(self.shown(role, part).map(|path| (role, part, path)));
        }
        for cause in causes {
            if !step.reasons.contains(&cause.reason) {
                step.reasons.push(cause.reason);
            }
            let text = cause.text();
            if !step.because.contains(&text) {
                step.because.push(text);
            }
        }
        let at = self.steps.len();
        self.steps.push(step);
        #[expect(clippy::indexing_slicing, reason = "it was just put there")]
        &mut self.steps[at]
    }

    /// Whether these files may be written: no link is replaced, and nothing that cannot be read.
    fn check_writable(&self, files: &[(Role, Part)]) -> Result<(), String> {
        let seen = self.pki.seen();
        for path in files.iter().filter_map(|(role, part)| self.shown(*role, *part)) {
            if let Some((_, _, target)) = seen.links.iter().find(|(_, link, _)| *link == path) {
                return Err(format!(
                    "{} is a symbolic link to {}, and is not replaced: renew the file there, or put it here",
                    path.display(),
                    target.display()
                ));
            }
            if let Some((_, _, why)) = seen.unreadable.iter().find(|(_, file, _)| *file == path) {
                return Err(format!(
                    "{} cannot be read ({why}), and is not replaced: remove it",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    /// What becomes of an authority.
    fn authority(&mut self, role: Role, mut causes: Vec<Cause>, trust: &Causes) {
        let certificate = self.held.get(&role).and_then(Held::certificate).cloned();
        let renewal = self.can_renew(role, certificate.as_ref());
        let (Some(certificate), Some(file)) = (certificate, self.shown(role, Part::Certificate)) else {
            let blocked = causes.into_iter().map(|cause| {
                let why = cause.mend.clone();
                cause.blocked(Some(role), why)
            });
            return self.blocked.extend(blocked);
        };
        let ends = certificate.not_after();
        if self.is_in_window(ends) {
            let gains = renewal
                .as_ref()
                .map_or(true, |profile| self.end(profile).is_some_and(|end| is_worth_it(end, ends, profile)));
            causes.extend(gains.then(|| Cause::new(Reason::Expiring { at: ends }, &file)));
        }
        let (mended, left): (Vec<_>, Vec<_>) =
            causes.into_iter().partition(|cause| self.mends_authority(role, &certificate, cause));
        for cause in left {
            let why = match cause.finding {
                Some(FindingId::NotYetValid) => CLOCK.to_owned(),
                _ => cause.mend.clone(),
            };
            self.block(role, [cause], &why);
        }
        if mended.is_empty() {
            return;
        }
        let profile = match renewal {
            Ok(profile) => profile,
            Err(why) => return self.block(role, mended, &why),
        };
        let mut files = vec![(role, Part::Certificate)];
        for (other, held) in &self.held {
            let holds = held.kubeconfig.as_ref().is_some_and(|it| trusts(&it.is, &certificate));
            if !holds || trust.contains_key(other) {
                continue;
            }
            match self.check_writable(&[(*other, Part::Kubeconfig)]) {
                Ok(()) => files.push((*other, Part::Kubeconfig)),
                Err(why) => {
                    let path = self.shown(*other, Part::Kubeconfig).unwrap_or_default();
                    let causes = mended.iter().cloned().map(|cause| Cause { file: path.clone(), ..cause });
                    self.blocked.extend(causes.map(|cause| cause.blocked(Some(*other), why.clone())));
                }
            }
        }
        let ends = self.end(&profile);
        self.renewed.extend(ends.map(|end| (role, end)));
        self.written.extend(files.iter().copied().filter(|(_, part)| *part != Part::Kubeconfig));
        let step = self.push(role, Action::RenewAuthority, files, &mended);
        (step.profile, step.ends) = (Some(profile), ends);
    }

    /// Whether a new certificate for the same key removes the cause.
    fn mends_authority(&self, role: Role, certificate: &Certificate, cause: &Cause) -> bool {
        let is_limited = || {
            !certificate.may_sign_certificates()
                || [Usage::ServerAuth, Usage::ClientAuth].iter().any(|usage| !certificate.allows(*usage))
        };
        match cause.finding {
            None => true,
            Some(FindingId::Expired) => certificate.not_after() < self.now,
            Some(FindingId::AuthorityUsageMissing) => certificate.is_authority() && is_limited(),
            Some(FindingId::NotAnAuthority) => Held::acts_as_authority(&self.held, role, certificate),
            Some(FindingId::WeakSignature) => certificate.weak_signature_algorithm().is_some(),
            Some(_) => false,
        }
    }

    /// What the certificate of an authority would be renewed as; otherwise why it cannot be.
    fn can_renew(&self, role: Role, certificate: Option<&Certificate>) -> Result<Profile, String> {
        let certificate = certificate.ok_or(NO_AUTHORITY)?;
        if !AUTHORITIES.contains(&role) {
            return Err(ABOVE.to_owned());
        }
        if !certificate.is_self_signed() {
            return Err(format!(
                "{} has to issue it again, and its key is not here: renew it there, and put it here",
                certificate.issuer()
            ));
        }
        let key = self.held.get(&role).and_then(|held| held.key.as_ref());
        let has_signer = self.pki.authorities().get(role).is_some_and(|it| it.issuer().is_some());
        match key {
            _ if has_signer => {}
            Some(key) if check_key(certificate, key.is.as_ref()).is_ok() => {}
            Some(_) => return Err("its key file holds another key".to_owned()),
            None => return Err("its key is elsewhere: renew it there, and put it here".to_owned()),
        }
        let bundle = self.held.get(&role).and_then(|held| held.certificates.as_ref());
        let others = bundle.and_then(|bundle| bundle.is.get(1..)).unwrap_or_default();
        if let Some(other) = others.iter().find(|other| !other.may_sign_certificates()) {
            return Err(format!(
                "{} stands in its file too, and is no authority: take that out",
                other.subject()
            ));
        }
        if !certificate.public_key().is_strong() {
            return Err("its key is too weak to go on with: introduce another authority".to_owned());
        }
        self.check_writable(&[(role, Part::Certificate)])?;
        Ok(Profile::new(role, &self.expected.cluster, None, ""))
    }

    fn is_in_window(&self, end: Time) -> bool {
        let window_ends = self.now.checked_add(self.policy.window);
        self.now <= end && window_ends.is_none_or(|window_ends| end <= window_ends)
    }

    /// When a certificate of `profile` would end.
    fn end(&self, profile: &Profile) -> Option<Time> {
        self.now.checked_add(profile.lifetime())
    }

    fn public_keys(&mut self, causes: Vec<Cause>) {
        let role = Role::ServiceAccount;
        if causes.is_empty() {
            return;
        }
        if !self.pki.authorities().has_service_account_key() {
            return self.block(role, causes, NO_SERVICE_ACCOUNT_KEY);
        }
        let is_damaged =
            |cause: &Cause| matches!(cause.finding, Some(FindingId::Malformed | FindingId::WrongPemType));
        if causes.iter().any(is_damaged) {
            return self.block(role, causes, OTHER_KEYS);
        }
        self.written.insert((role, Part::PublicKey));
        self.change_file(role, Part::PublicKey, causes, Action::ListPublicKey);
    }

    /// One step about one file.
    fn change_file(&mut self, role: Role, part: Part, causes: Vec<Cause>, action: Action) {
        match self.check_writable(&[(role, part)]) {
            Ok(()) => _ = self.push(role, action, vec![(role, part)], &causes),
            Err(why) => self.block(role, causes, &why),
        }
    }

    /// What becomes of a certificate that an authority of the cluster signs.
    fn leaf(&mut self, role: Role, causes: Vec<Cause>) {
        let held = self.held.get(&role).cloned().unwrap_or_default();
        if held.is_referenced {
            return self.block(role, causes, OTHERS);
        }
        if causes.is_empty() && held.certificate().is_none() {
            return;
        }
        let profile = match self.profile(role, &held) {
            Ok(profile) => profile,
            Err(why) => return self.block(role, causes, why),
        };
        let issuer_ends = self.issuer_ends(role, &profile);
        let (mut due, mut as_it_is) = (Vec::new(), Vec::new());
        for cause in causes {
            match held.certificate() {
                Some(old) if self.is_mended_above(&cause, old, &issuer_ends) => {}
                Some(old) if !is_mended_by(&cause, &profile, old) => as_it_is.push(cause),
                // The new one has the names that every cluster's has, and still lacks one.
                Some(_) if cause.finding == Some(FindingId::SanMissing) && !self.has_service(&profile) => {
                    as_it_is.push(cause.clone());
                    due.push(cause);
                }
                _ => due.push(cause),
            }
        }
        let is_group = |cause: &Cause| cause.reason == Reason::SubjectChanged;
        let (groups, as_it_is): (Vec<_>, Vec<_>) =
            as_it_is.into_iter().partition(|cause| self.expected.is_described() && is_group(cause));
        self.block(role, groups, GROUP);
        self.block(role, as_it_is, AS_IT_IS);
        let end = self.end(&profile);
        let clamped = match (end, &issuer_ends) {
            (Some(end), Ok(issuer)) => Some(end.min(*issuer)),
            (end, _) => end,
        };
        if let (Some(at), Some(old)) = (&held.certificates, held.certificate()) {
            let ends = old.not_after();
            if self.is_in_window(ends) {
                let cause = Cause::new(Reason::Expiring { at: ends }, &at.file);
                if clamped.is_some_and(|clamped| is_worth_it(clamped, ends, &profile)) {
                    due.push(cause);
                } else if clamped < end {
                    self.block(role, [cause], "its authority ends then: renew that first");
                }
            }
            if self.expected.is_described() && old.public_key().algorithm() != Some(profile.key_algorithm()) {
                due.push(Cause::new(Reason::AlgorithmChanged, &at.file));
            }
            if self.policy.extent == Extent::All {
                due.push(Cause::new(Reason::Asked, &at.file));
            }
        }
        if due.is_empty() {
            return;
        }
        let is_kept = self.policy.keys == Keys::Kept && self.is_key_good(&held, &profile);
        let files = match role.row().files {
            Files::Kubeconfig { .. } => vec![(role, Part::Kubeconfig)],
            _ if is_kept => vec![(role, Part::Certificate)],
            _ => vec![(role, Part::Certificate), (role, Part::Key)],
        };
        if let Err(why) = self.check_writable(&files).and(issuer_ends.map(drop)) {
            return self.block(role, due, &why);
        }
        self.written.extend(files.iter().copied());
        if held
            .kubeconfig
            .as_ref()
            .is_none_or(|it| it.is.current_user().is_none() || it.is.current_cluster().is_none())
        {
            self.made_anew.insert(role);
        }
        let difference = held.certificate().map(|old| difference(&profile, old)).unwrap_or_default();
        let action = if is_kept { Action::IssueForSameKey } else { Action::Issue };
        let step = self.push(role, action, files, &due);
        step.difference = difference;
        step.profile = Some(profile);
        step.ends = clamped;
        step.shortened_from = end.filter(|end| Some(*end) != clamped);
    }

    /// Whether the API server can be called by the address of the service `kubernetes`, as far as that is known.
    fn has_service(&self, profile: &Profile) -> bool {
        let mut sans = profile.sans().iter();
        profile.role() != Role::ApiServer
            || self.expected.is_described()
            || sans.any(|san| matches!(san, San::Ip(address) if self.expected.may_be_service(*address)))
    }

    /// What a leaf is to be issued as; otherwise why that is not known.
    fn profile(&self, role: Role, held: &Held) -> Result<Profile, &'static str> {
        if !self.expected.knows(role) {
            return Err(DESCRIBE);
        }
        let authority = role.authority().unwrap_or(role);
        if self.is_foreign(authority) {
            return Err(FOREIGN);
        }
        // Of a certificate that was swapped with another role's, nothing is taken over either.
        let usage = if role.is_serving() { Usage::ServerAuth } else { Usage::ClientAuth };
        let is_ours = self.is_ours(authority, held) && held.certificate().is_some_and(|it| it.allows(usage));
        let mut profile = match (self.expected.profile(role), held.certificate()) {
            (_, Some(_)) if !is_ours => self.expected.plain_profile(role).ok_or(DESCRIBE)?,
            (Some(profile), Some(certificate)) if role.authority() == Some(Role::KubernetesCa) => {
                profile.clone().keeping_groups(certificate)
            }
            (Some(profile), _) => profile.clone(),
            (None, Some(certificate)) => self.expected.optional(role, certificate),
            (None, None) => Profile::new(role, &self.expected.cluster, Some(&self.expected.node), ""),
        };
        if profile.is_serving() && profile.sans().is_empty() {
            return Err(DESCRIBE);
        }
        if !self.expected.is_described()
            && is_ours
            && let Some(lifetime) = held.certificate().and_then(|old| self.lifetime_of(role, old))
        {
            profile.set_lifetime(lifetime);
        }
        Ok(profile)
    }

    /// The lifetime that a certificate was made with, where it tells. Old kubeadm let leaves begin when their
    /// authority began, so that they seem to last longer; what ends with its authority has been shortened.
    fn lifetime_of(&self, role: Role, certificate: &Certificate) -> Option<Duration> {
        let authority = self.held.get(&role.authority()?)?.certificate()?;
        if certificate.not_after() == authority.not_after() {
            return None;
        }
        let span = certificate.not_after().since(certificate.not_before()).checked_sub(BACKDATE)?;
        let span = match certificate.not_before() == authority.not_before() {
            true => span.min(self.expected.cluster.leaf_lifetime),
            false => span,
        };
        let is_possible = span >= SHORTEST && self.now.checked_add(span).is_some();
        is_possible.then_some(span)
    }

    /// When the authority ends that would sign; otherwise why none can.
    fn issuer_ends(&self, role: Role, profile: &Profile) -> Result<Time, String> {
        let Some(authority) = role.authority() else {
            return Err("no authority of the cluster signs it".to_owned());
        };
        if let Some(end) = self.renewed.get(&authority) {
            return Ok(*end);
        }
        let path = self.shown(authority, Part::Certificate).unwrap_or_default();
        let Some(known) = self.pki.authorities().get(authority) else {
            return Err(format!(
                "{} is missing or cannot be used: copy it from another control-plane node or from a backup",
                path.display()
            ));
        };
        let Some(issuer) = known.issuer() else { return Err(self.no_issuer(authority, known)) };
        match issuer.check_can_sign(profile, self.now) {
            Ok(()) => Ok(known.certificate().not_after()),
            Err(error) => Err(format!("{} cannot sign it: {error}", path.display())),
        }
    }

    fn no_issuer(&self, authority: Role, known: &Authority) -> String {
        let key = self.shown(authority, Part::Key).unwrap_or_default();
        match (self.held.get(&authority).and_then(|it| it.key.as_ref()), self.pki.file(authority, Part::Key))
        {
            (Some(_), _) => format!("{} is not the key of {}", key.display(), known.certificate().subject()),
            (None, Some(_)) => format!("{} cannot be used", key.display()),
            (None, None) => {
                format!(
                    "the key of {authority} is elsewhere: attach a signer, or have it issued where \
                     that key is"
                )
            }
        }
    }

    /// Whether the authority's own renewal removes the cause.
    fn is_mended_above(&self, cause: &Cause, old: &Certificate, issuer_ends: &Result<Time, String>) -> bool {
        cause.finding == Some(FindingId::OutlivesAuthority)
            && matches!(issuer_ends, Ok(end) if *end >= old.not_after())
    }

    fn is_key_good(&self, held: &Held, profile: &Profile) -> bool {
        held.key.as_ref().map(|key| key.is.public_key()).is_some_and(|key| {
            let is_wanted = key.algorithm() == Some(profile.key_algorithm());
            key.is_strong() && (is_wanted || !self.expected.is_described())
        })
    }

    /// Smaller changes of kubeconfigs.
    fn kubeconfigs(&mut self, due: Causes, action: impl Fn(&Self, Role) -> Result<Action, String>) {
        for (role, causes) in due {
            if self.made_anew.contains(&role) {
                continue;
            }
            let authority = Role::KubernetesCa;
            let is_known =
                self.pki.authorities().get(authority).is_some() || self.renewed.contains_key(&authority);
            match (self.kubeconfig(role), action(self, role)) {
                (None, _) => self.block(role, causes, "it cannot be read as a kubeconfig: remove it"),
                (_, Ok(Action::Trust | Action::Verify)) if !is_known => {
                    self.block(role, causes, NO_AUTHORITY);
                }
                (_, Ok(action)) => self.change_file(role, Part::Kubeconfig, causes, action),
                (_, Err(why)) => self.block(role, causes, &why),
            }
        }
    }

    fn server(&self, role: Role) -> Result<Action, String> {
        if !self.expected.is_described() {
            return Err(DESCRIBE.to_owned());
        }
        let url = self.expected.server(role).url();
        let old = self.kubeconfig(role).and_then(Kubeconfig::current_cluster);
        let is_there = old.is_some_and(|old| old.server == url && old.tls_server_name.is_none());
        match self.expected.knows(role) && !is_there {
            true => Ok(Action::PointTo(url)),
            false => Err(DESCRIBE.to_owned()),
        }
    }

    fn mode(&mut self, role: Role, part: Part, causes: Vec<Cause>) {
        let Some(file) = self.pki.file(role, part) else {
            return self.block(role, causes, OTHERS);
        };
        let is_readable_key =
            causes.iter().any(|cause| cause.finding == Some(FindingId::KeyReadableByOthers));
        let mode = narrowed(file.mode(), is_readable_key);
        self.change_file(role, part, causes, Action::SetMode(mode));
    }
}

/// Whether a certificate until `end` is worth its making where another one ends at `old`: for less than a
/// tenth of its lifetime it is not, and the next plan would say the same again.
fn is_worth_it(end: Time, old: Time, profile: &Profile) -> bool {
    let gain = end.since(old);
    !gain.is_zero() && gain >= profile.lifetime() / 10
}

/// Whether a certificate of `profile` in the place of `old` removes the cause: where only the files tell, it
/// takes over what is bearable.
fn is_mended_by(cause: &Cause, profile: &Profile, old: &Certificate) -> bool {
    let subject = old.subject();
    match cause.finding {
        // What no file tells is not issued either.
        Some(FindingId::SanMissing) if cause.severity < Severity::Error => false,
        Some(FindingId::SanMissing) => !difference(profile, old).added_sans.is_empty(),
        Some(FindingId::WrongCommonName | FindingId::NodeNameMismatch) => {
            subject.common_name() != Some(profile.common_name())
        }
        Some(FindingId::GroupMissing | FindingId::GroupUnexpected) => {
            let new: BTreeSet<_> = profile.organizations().iter().map(String::as_str).collect();
            new != subject.organizations().collect()
        }
        _ => true,
    }
}

fn difference(profile: &Profile, old: &Certificate) -> Difference {
    let has = |san: &AlternativeName| san.to_san().is_some_and(|san| profile.sans().contains(&san));
    let had: Vec<_> = old.sans().iter().filter_map(AlternativeName::to_san).collect();
    let subject = DistinguishedName::new(profile.common_name(), profile.organizations()).ok();
    let subject = subject.filter(|new| !new.says_the_same_as(old.subject()));
    Difference {
        added_sans: profile
            .sans()
            .iter()
            .filter(|san| !had.contains(san))
            .map(AlternativeName::from)
            .collect(),
        removed_sans: old.sans().iter().filter(|san| !has(san)).cloned().collect(),
        subjects: subject.map(|new| (old.subject().clone(), new)),
    }
}

/// Whether a kubeconfig holds this very certificate among those that it trusts.
pub(super) fn trusts(kubeconfig: &Kubeconfig, certificate: &Certificate) -> bool {
    let data = kubeconfig.clusters.iter().filter_map(|it| it.cluster.certificate_authority_data.as_ref());
    data.filter_map(|pem| Certificate::from_pem(pem).ok()).any(|trusted| trusted.contains(certificate))
}
