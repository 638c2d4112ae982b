//! [`Store`]: a directory that is changed, under a lock from loading to committing.

use std::fs::{self, DirBuilder, File as OpenFile, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::{Found, Written, find, place, place_of_directory};
use crate::error::{Code, Error, Result};
use crate::file::File;
use crate::layout::Layout;
use crate::pki::Pki;

/// A directory opened for changing it. As long as this value lives, no other `Store` opens the directory.
///
/// ```no_run
/// use kubepki::{Policy, Store, Time};
///
/// # fn main() -> kubepki::Result<()> {
/// let store = Store::open("/etc/kubernetes")?;
/// let mut pki = store.load()?;
/// let plan = pki.plan(pki.expected(), &Policy::default(), Time::now());
/// print!("{plan}");
/// plan.apply(&mut pki)?;
/// store.commit(&mut pki)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Store {
    layout: Layout,
    /// Unlocked also by the end of the process.
    lock: OpenFile,
    /// Who reads or writes: the lock on the directory is one for all threads.
    alone: Mutex<()>,
}

impl Store {
    /// Locks a directory, such as `/etc/kubernetes`, which is made if it is not there. The lock is an advisory one, on the
    /// directory itself: it leaves no file behind, and does not stop programs that do not look at it. Whoever may read the
    /// directory can hold the lock as well, and so keep others from it: `fuser` names the process.
    ///
    /// # Errors
    ///
    /// [`Code::Locked`] when another `Store` has it open, [`Code::Io`] when it cannot be opened or made.
    pub fn open(layout: impl Into<Layout>) -> Result<Self> {
        let layout = layout.into();
        let directory = place_of_directory(layout.root_directory(), layout.directory())?;
        if !directory.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(&directory)
                .map_err(|error| Error::io(&directory, "make this directory", &error))?;
        }
        let lock = OpenFile::open(&directory)
            .map_err(|error| Error::io(&directory, "open this directory", &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { layout, lock, alone: Mutex::default() }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(Code::Locked, "a directory that nobody else is changing")
                    .found("one that another process, or another store of this one, has open")
                    .file(directory))
            }
            Err(TryLockError::Error(error)) => Err(Error::io(&directory, "lock this directory", &error)),
        }
    }

    /// Reads what the directory holds: [`Pki::load`] under the lock.
    ///
    /// # Errors
    ///
    /// As [`Pki::load`].
    pub fn load(&self) -> Result<Pki> {
        let _alone = self.alone();
        Pki::load(self.layout.clone())
    }

    /// Writes what has changed in `pki` since it was loaded or made, and nothing else: all of it, or when one file cannot
    /// be written, none.
    ///
    /// A file keeps its owner, its group, and unless the change is about it, its mode. Each is written beside its place,
    /// synced and renamed, a key next to its certificate. A reader may for a moment see one of them new and the other
    /// old, and a crash in between may leave them so: the next plan mends it.
    ///
    /// # Errors
    ///
    /// [`Code::Changed`] when a file is no longer what was loaded, [`Code::Exists`] when one has appeared,
    /// [`Code::Io`] with the file that could not be written.
    pub fn commit(&self, pki: &mut Pki) -> Result<()> {
        let _alone = self.alone();
        let mut written = Written::default();
        for file in pki.files() {
            let path = self.place(file)?;
            match pki.loaded(file) {
                Some(old) if old == file => {}
                Some(old) => {
                    self.check_unchanged(old, &path)?;
                    written.write_over(&path, file.bytes(), file.mode())?;
                }
                None => written.write_new(&path, file.bytes(), file.mode())?,
            }
        }
        written.put_in_place()?;
        pki.is_on_disk();
        Ok(())
    }

    fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, file: &File) -> Result<PathBuf> {
        place(self.layout.root_directory(), &self.layout.absolute(file.path()))
    }

    /// Compare and swap: nobody else's change is overwritten unseen.
    fn check_unchanged(&self, old: &File, place: &Path) -> Result<()> {
        let changed =
            |found: &str| Err(Error::new(Code::Changed, "the file that was loaded").found(found).file(place));
        if fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_symlink()) {
            return changed("a symbolic link, which is not replaced");
        }
        match find(None, place) {
            Found::File(now) if *now.bytes == *old.bytes() && now.mode == old.mode() => Ok(()),
            Found::File(_) => changed("another one: somebody has changed it in the meantime"),
            Found::Nothing => changed("none"),
            Found::Unreadable(error) => Err(error),
        }
    }
}

impl Drop for Store {
    /// Closing it alone would not do: a child that another thread is just starting holds it open for a moment too.
    fn drop(&mut self) {
        _ = self.lock.unlock();
    }
}
