//! [`Plan`]: what would be changed on a machine, and why; nothing happens before it is applied.

mod apply;
mod cause;
mod effects;
mod json;
mod make;
mod show;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::expected::Expected;
use crate::file::File;
use crate::finding::{FindingId, Severity};
use crate::layout::{Layout, Part};
use crate::pki::Pki;
use crate::role::{Profile, Role};
use crate::time::Time;
use crate::x509::{AlternativeName, DistinguishedName};

pub use effects::Effect;

/// What a plan is to renew, and how. The default renews what ends within 30 days, with new keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    window: Duration,
    keys: Keys,
    extent: Extent,
}

/// Which key a certificate is made for that is issued again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    New,
    Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Due,
    All,
}

impl Policy {
    /// Renews certificates that end within `window` from now, instead of 30 days. One that would gain less
    /// than a tenth of its lifetime is left as it is.
    pub fn within(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Issues for the keys that are there, as long as they can be used, are strong and of the wanted
    /// algorithm.
    pub fn keep_keys(self) -> Self {
        Self { keys: Keys::Kept, ..self }
    }

    /// Issues every leaf certificate again, due or not.
    pub fn all(self) -> Self {
        Self { extent: Extent::All, ..self }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { window: Duration::from_secs(30 * 24 * 60 * 60), keys: Keys::New, extent: Extent::Due }
    }
}

/// What would be changed on a machine: steps with their reasons, what is wrong and cannot be changed, and
/// which components must restart. It is made by [`Pki::plan`]; its text is for people.
///
/// A plan never makes an authority or the service-account key, so that an empty or damaged directory cannot
/// grow a second cluster. It never writes what kubeconfigs name, which is the kubelet's own, replaces no
/// symbolic link and nothing that cannot be read, and leaves unknown files alone.
#[derive(Clone, Debug)]
#[must_use]
pub struct Plan {
    layout: Layout,
    made_from: Vec<File>,
    expected: Expected,
    now: Time,
    steps: Vec<Step>,
    blocked: Vec<Blocked>,
    reloads: Vec<Effect>,
    restarts: Vec<Effect>,
}

impl Pki {
    /// Makes a plan: what an [audit](Self::audit) finds and a plan can mend, and what ends soon.
    ///
    /// `expected` is a description, or what the files themselves tell: [`Expected::inferred`], which a loaded
    /// `Pki` has as its [`expected`](Self::expected). With a description, changed names, subjects and key
    /// algorithms are issued; without, certificates keep theirs, and the lifetime that they had.
    ///
    /// A key that everybody could read gets its mode back and is not replaced for that: nothing in Kubernetes
    /// revokes a certificate, so whoever has copied the key can use it until that certificate ends, with a
    /// new one beside it or not.
    ///
    /// ```
    /// use kubepki::{Cluster, Expected, KeyAlgorithm, Node, Pki, Policy, Role, Time};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    /// let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
    /// let mut pki = Pki::create(&cluster, &node, Time::now())?;
    ///
    /// let expected = Expected::new(&cluster, &node.san(Role::ApiServer, "api.internal".parse()?));
    /// let plan = pki.plan(&expected, &Policy::default(), Time::now());
    /// print!("{plan}");
    /// plan.apply(&mut pki)?;
    /// assert!(pki.plan(&expected, &Policy::default(), Time::now()).is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn plan(&self, expected: &Expected, policy: &Policy, now: Time) -> Plan {
        let (steps, blocked) = make::make(self, expected, policy, now);
        let (reloads, restarts) = effects::of(&steps, expected, self.layout());
        Plan {
            layout: self.layout().clone(),
            made_from: self.files().cloned().collect(),
            expected: expected.clone(),
            now,
            steps,
            blocked,
            reloads,
            restarts,
        }
    }
}

impl Plan {
    /// Whether applying it changes nothing. Something may be [blocked](Self::blocked) all the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps, in the order in which they are applied.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What is wrong, or due, and no step mends: the worst first.
    pub fn blocked(&self) -> impl Iterator<Item = &Blocked> {
        self.blocked.iter()
    }

    /// The components that take up changed files by themselves, within a minute.
    #[must_use]
    pub fn reloads(&self) -> &[Effect] {
        &self.reloads
    }

    /// The components that must restart to take up changed files.
    #[must_use]
    pub fn restarts(&self) -> &[Effect] {
        &self.restarts
    }
}

/// One step of a [`Plan`]: one act for one role.
#[derive(Clone, Debug)]
pub struct Step {
    role: Role,
    action: Action,
    files: Vec<(Role, Part, PathBuf)>,
    reasons: Vec<Reason>,
    /// The reasons with what was found, in words.
    because: Vec<String>,
    difference: Difference,
    /// What is issued.
    profile: Option<Profile>,
    ends: Option<Time>,
    shortened_from: Option<Time>,
}

impl Step {
    /// The role that it is for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// What is done.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// The files that are written: below the directory of the machine's Kubernetes files where they lie
    /// there, otherwise their whole paths.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(.., path)| path.as_path())
    }

    /// Why.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// What a new certificate says that the old one does not, and the reverse.
    #[must_use]
    pub fn difference(&self) -> &Difference {
        &self.difference
    }

    /// When a new certificate will end.
    #[must_use]
    pub fn ends(&self) -> Option<Time> {
        self.ends
    }

    /// When a new certificate would end if its authority did not end earlier.
    #[must_use]
    pub fn shortened_from(&self) -> Option<Time> {
        self.shortened_from
    }
}

/// What a [`Step`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// An authority's certificate is made anew for the same key, name and key identifier, so that what it has
    /// issued stays valid; in kubeconfigs too it takes the old one's place.
    RenewAuthority,
    /// A leaf certificate is issued with a new key. In a kubeconfig everything else stays.
    Issue,
    /// A leaf certificate is issued for the key that is there.
    IssueForSameKey,
    /// sa.pub begins with the public half of sa.key; its other keys stay.
    ListPublicKey,
    /// A kubeconfig trusts the authority's certificates, and no others.
    Trust,
    /// A kubeconfig points to this URL, and clients look for the name in it.
    PointTo(String),
    /// A kubeconfig has the server's certificate verified.
    Verify,
    /// What stands behind the PEM in a file is taken away.
    CutTrailingData,
    /// A file gets this mode.
    SetMode(u32),
}

/// Why a [`Step`] is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The file is not there.
    Absent,
    /// The certificate ends soon.
    Expiring {
        /// When.
        at: Time,
    },
    /// A name is needed that the certificate does not have.
    SansChanged,
    /// The subject is another.
    SubjectChanged,
    /// The description asks for another key algorithm.
    AlgorithmChanged,
    /// An audit found this.
    Finding(FindingId),
    /// [`Policy::all`] asks for it.
    Asked,
}

/// What distinguishes a certificate that is to be issued from the one in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    added_sans: Vec<AlternativeName>,
    removed_sans: Vec<AlternativeName>,
    subjects: Option<(DistinguishedName, DistinguishedName)>,
}

impl Difference {
    /// The subject alternative names that the new certificate has, and the old one has not.
    #[must_use]
    pub fn added_sans(&self) -> &[AlternativeName] {
        &self.added_sans
    }

    /// The subject alternative names that the old certificate has, and the new one has not.
    #[must_use]
    pub fn removed_sans(&self) -> &[AlternativeName] {
        &self.removed_sans
    }

    /// The old and the new subject, where they say different things.
    #[must_use]
    pub fn subjects(&self) -> Option<(&DistinguishedName, &DistinguishedName)> {
        self.subjects.as_ref().map(|(old, new)| (old, new))
    }
}

/// Something that is wrong, or due, and that a [`Plan`] does not mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    role: Option<Role>,
    file: PathBuf,
    severity: Severity,
    finding: Option<FindingId>,
    what: String,
    why: String,
}

impl Blocked {
    /// The role that it is about, where it has one.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The file, as [`Finding::file`](crate::Finding::file) has it.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How bad that is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What an audit found; `None` where a certificate only ends soon, or was to be issued again.
    #[must_use]
    pub fn finding(&self) -> Option<FindingId> {
        self.finding
    }

    /// Why the plan leaves it, and what to do, for people.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}
