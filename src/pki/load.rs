//! Loading what a directory holds, whatever that is: what cannot be used is for an audit to report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Pki;
use super::held::Held;
use crate::authority::Authorities;
use crate::disk::{Found, Received, find, list, place_of_directory};
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::file::File;
use crate::kubeconfig::Kubeconfig;
use crate::layout::{Layout, Part, all_files};
use crate::role::Role;

/// How deep files are looked for below the directory of certificates.
const DEPTH: usize = 4;

/// What loading saw besides the files of the role table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The files as they were: what a commit compares with.
    pub(crate) files: Vec<File>,
    /// Files that kubeconfigs name. They are others': read, and never written.
    pub(crate) referenced: Vec<Referenced>,
    /// What is there and cannot be read: the path as it is shown, and why.
    pub(crate) unreadable: Vec<(Role, PathBuf, String)>,
    /// Symbolic links, with what they point to.
    pub(crate) links: Vec<(Role, PathBuf, PathBuf)>,
    /// Files of nobody known.
    pub(crate) unknown: Vec<PathBuf>,
}

/// A file that a kubeconfig names.
#[derive(Clone, Debug)]
pub(crate) struct Referenced {
    pub(crate) role: Role,
    pub(crate) reference: Reference,
    /// As it is shown.
    pub(crate) path: PathBuf,
    pub(crate) contents: Contents,
}

/// By which field of a kubeconfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    Authority,
    Certificate,
    Key,
}

/// What there was.
#[derive(Clone, Debug)]
pub(crate) enum Contents {
    Missing,
    Unreadable(String),
    File(File),
}

impl Pki {
    /// Reads what a directory holds, such as `/etc/kubernetes`: complete or in part, ours, kubeadm's or anybody's.
    ///
    /// No file makes this fail: what is missing or cannot be used is what [`audit`](Self::audit) reports. A missing key
    /// of an authority means that its key is elsewhere. Files that kubeconfigs name, such as the kubelet's
    /// `kubelet-client-current.pem`, are read too. Nothing is written and nothing is locked: a
    /// [`Store`](crate::Store) does that.
    ///
    /// ```no_run
    /// use kubepki::{Layout, Pki, Time};
    ///
    /// # fn main() -> kubepki::Result<()> {
    /// let pki = Pki::load("/etc/kubernetes")?;
    /// print!("{}", pki.audit(pki.expected(), Time::now()));
    /// let backup = Pki::load(Layout::new("/etc/kubernetes").root("/mnt/backup"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::Io`](crate::Code::Io) when the directory cannot be read.
    pub fn load(layout: impl Into<Layout>) -> Result<Self> {
        let layout = layout.into();
        let directory = place_of_directory(layout.root_directory(), layout.directory())?;
        std::fs::read_dir(&directory)
            .map_err(|error| Error::io(&directory, "read this directory", &error))?;
        let (mut seen, known) = see(&layout, |path, _| find(layout.root_directory(), path));
        seen.unknown = unknown(&layout, &known);
        Ok(Self::from_seen(layout, seen))
    }

    /// Takes the files of a machine from memory: the path of each below the directory of its Kubernetes files, such as
    /// `pki/ca.crt` or `admin.conf`, and its bytes. As [`load`](Self::load), it never fails because of a file.
    #[must_use]
    pub fn from_files<P: AsRef<Path>, B: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        let files: BTreeMap<PathBuf, B> =
            files.into_iter().map(|(path, bytes)| (path.as_ref().to_owned(), bytes)).collect();
        let layout = Layout::new("");
        let look = |path: &Path, part: Part| match files.get(path) {
            None => Found::Nothing,
            Some(bytes) => {
                let bytes = Zeroizing::new(bytes.as_ref().to_vec());
                Found::File(Received { bytes, mode: part.mode(), link: None })
            }
        };
        let (mut seen, known) = see(&layout, look);
        seen.unknown = files.into_keys().filter(|path| !known.contains(path)).collect();
        Self::from_seen(layout, seen)
    }

    fn from_seen(layout: Layout, seen: Seen) -> Self {
        let files = seen.files.clone();
        let expected = Expected::infer(&layout, &BTreeMap::new());
        let mut this = Self {
            expected,
            authorities: Authorities::default(),
            credentials: BTreeMap::new(),
            files,
            layout,
            seen,
        };
        this.refresh();
        this
    }

    /// Derives again what follows from the files. A description, and signers elsewhere, stay.
    pub(crate) fn refresh(&mut self) {
        let held = Held::all(self).0;
        let certificates = |role| Some(held.get(&role)?.certificates.as_ref()?.is.as_slice());
        let key = |role| Some(Arc::clone(&held.get(&role)?.key.as_ref()?.is));
        let stated = held.get(&Role::ServiceAccount).map_or(&[][..], Held::public_keys);
        let mut authorities = Authorities::usable(certificates, key, stated);
        authorities.attach_signers_of(&self.authorities);
        self.authorities = authorities;
        if !self.expected.is_described() {
            self.expected = Expected::infer(&self.layout, &held);
        }
        self.credentials = held.iter().filter_map(|(role, held)| Some((*role, held.credential()?))).collect();
    }
}

/// Looks at every place of the table, and at those that kubeconfigs name; with all of these places.
fn see(layout: &Layout, look: impl Fn(&Path, Part) -> Found) -> (Seen, BTreeSet<PathBuf>) {
    let (mut seen, mut known) = (Seen::default(), BTreeSet::new());
    for (role, part, relative) in all_files() {
        let path = layout.absolute(&relative);
        match look(&path, part) {
            Found::Nothing => {}
            Found::Unreadable(error) => seen.unreadable.push((role, layout.shown(&path), reason(&error))),
            Found::File(Received { bytes, mode, link }) => {
                seen.links.extend(link.map(|target| (role, layout.shown(&path), target)));
                seen.files.push(File::received(role, part, relative, bytes, mode));
            }
        }
        known.insert(path);
    }
    for file in seen.files.iter().filter(|file| file.part() == Part::Kubeconfig) {
        let Ok(kubeconfig) = Kubeconfig::from_yaml(file.bytes()) else { continue };
        for (reference, path) in references(layout, file, &kubeconfig) {
            let part = if reference == Reference::Key { Part::Key } else { Part::Certificate };
            let contents = match look(&path, part) {
                Found::Nothing => Contents::Missing,
                Found::Unreadable(error) => Contents::Unreadable(reason(&error)),
                Found::File(Received { bytes, mode, .. }) => {
                    Contents::File(File::received(file.role(), part, layout.shown(&path), bytes, mode))
                }
            };
            let shown = layout.shown(&path);
            seen.referenced.push(Referenced { role: file.role(), reference, path: shown, contents });
            known.insert(path);
        }
    }
    (seen, known)
}

/// The files that the current context of a kubeconfig names, by their paths on the machine.
fn references(layout: &Layout, file: &File, kubeconfig: &Kubeconfig) -> Vec<(Reference, PathBuf)> {
    let own = layout.absolute(file.path());
    let beside = own.parent().unwrap_or(Path::new(""));
    let (user, cluster) = (kubeconfig.current_user(), kubeconfig.current_cluster());
    let authority = cluster.filter(|cluster| cluster.certificate_authority_data.is_none());
    let certificate = user.filter(|user| user.client_certificate_data.is_none());
    let key = user.filter(|user| user.client_key_data.is_none());
    [
        (Reference::Authority, authority.and_then(|cluster| cluster.certificate_authority.as_ref())),
        (Reference::Certificate, certificate.and_then(|user| user.client_certificate.as_ref())),
        (Reference::Key, key.and_then(|user| user.client_key.as_ref())),
    ]
    .into_iter()
    .filter_map(|(reference, path)| Some((reference, beside.join(path?))))
    .filter(|(_, path)| !path.as_os_str().is_empty())
    .collect()
}

/// Files in the directory of certificates, and kubeconfigs, that are none of the table's.
fn unknown(layout: &Layout, known: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let below = |directory: &Path, depth| -> Vec<PathBuf> {
        let here = place_of_directory(layout.root_directory(), directory);
        let names = here.and_then(|here| list(&here, depth)).unwrap_or_default();
        names.into_iter().map(|name| directory.join(name)).collect()
    };
    let is_kubeconfig = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "conf");
    let kubeconfigs = below(layout.directory(), 0).into_iter().filter(is_kubeconfig);
    let mut unknown: Vec<_> = below(layout.certificates_directory(), DEPTH)
        .into_iter()
        .chain(kubeconfigs)
        .filter(|path| !known.contains(path))
        .map(|path| layout.shown(&path))
        .collect();
    unknown.sort();
    unknown.dedup();
    unknown
}

/// Why, without the file, which stands beside it.
fn reason(error: &Error) -> String {
    error.found_instead().unwrap_or(error.expected()).to_owned()
}
