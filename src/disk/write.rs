//! Writing files as wholes: all of them, or when one cannot be written, none.

use std::fs::{self, DirBuilder, File as OpenFile, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempPath};

use crate::error::{Code, Error, Result};

const DIRECTORY_MODE: u32 = 0o755;

/// What has been written so far. Dropped before it is complete, it undoes that.
#[derive(Default)]
pub(crate) struct Written {
    beside: Vec<(NamedTempFile, PathBuf, Place)>,
    new: Vec<PathBuf>,
    /// The file that was there, under another name, and its place.
    replaced: Vec<(TempPath, PathBuf)>,
    directories: Vec<PathBuf>,
}

/// What there is at a file's place before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Empty,
    Taken,
}

impl Written {
    /// Writes a file that is not there yet beside its place; directories are made as needed.
    pub(crate) fn write_new(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        self.make_directory(parent(path))?;
        let beside = beside(path, bytes)?;
        finish(&beside, path, mode)?;
        self.beside.push((beside, path.to_owned(), Place::Empty));
        Ok(())
    }

    /// Writes another version of a file beside it, for the same owner and group.
    pub(crate) fn write_over(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        let beside = beside(path, bytes)?;
        let failed = |error| Error::io(path, "write this file", &error);
        let old = fs::symlink_metadata(path).map_err(failed)?;
        let own = beside.as_file().metadata().map_err(failed)?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            // Before the mode: changing the owner may clear bits of it.
            fchown(beside.as_file(), Some(old.uid()), Some(old.gid())).map_err(failed)?;
        }
        finish(&beside, path, mode)?;
        self.beside.push((beside, path.to_owned(), Place::Taken));
        Ok(())
    }

    fn make_directory(&mut self, directory: &Path) -> Result<()> {
        let failed = |error| Error::io(directory, "make this directory", &error);
        if directory.as_os_str().is_empty() || directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = directory.parent() {
            self.make_directory(parent)?;
        }
        match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
            Ok(()) => {
                self.directories.push(directory.to_owned());
                // Whatever the umask is: components that run as other users read certificates.
                fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE)).map_err(failed)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Renames each to its place, and syncs the directories.
    pub(crate) fn put_in_place(mut self) -> Result<()> {
        for (beside, path, place) in std::mem::take(&mut self.beside) {
            let failed = |error| Error::io(&path, "put this file in its place", &error);
            if place == Place::Taken {
                let backup = temporary(&path).make_in(parent(&path), |name| fs::hard_link(&path, name));
                let backup = backup.map_err(failed)?.into_temp_path();
                beside.persist(&path).map_err(|refused| failed(refused.error))?;
                self.replaced.push((backup, path));
                continue;
            }
            // Fails rather than replace a file that has appeared in the meantime.
            match beside.persist_noclobber(&path) {
                Ok(_) => self.new.push(path),
                Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {
                    return Err(Error::new(Code::Exists, "no file here yet")
                        .found("a file that was not loaded, or has just appeared")
                        .file(path));
                }
                Err(refused) => return Err(failed(refused.error)),
            }
        }
        let files = self.new.iter().chain(self.replaced.iter().map(|(_, path)| path));
        let mut changed: Vec<_> = files.chain(&self.directories).map(|it| parent(it)).collect();
        changed.sort();
        changed.dedup();
        for directory in changed {
            OpenFile::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(|error| Error::io(directory, "sync this directory", &error))?;
        }
        self.new.clear();
        self.replaced.clear();
        self.directories.clear();
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        self.beside.clear();
        // Best effort: the first failure has been reported, and what others have put into a directory stays.
        for path in &self.new {
            _ = fs::remove_file(path);
        }
        for (backup, path) in self.replaced.drain(..) {
            _ = backup.persist(path);
        }
        for directory in self.directories.iter().rev() {
            _ = fs::remove_dir(directory);
        }
    }
}

/// The bytes in a file of mode 0600 beside the place, so that no key is ever readable by others.
fn beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile> {
    let failed = |error| Error::io(path, "write this file", &error);
    let mut beside = temporary(path).tempfile_in(parent(path)).map_err(failed)?;
    beside.write_all(bytes).map_err(failed)?;
    Ok(beside)
}

fn finish(beside: &NamedTempFile, path: &Path, mode: u32) -> Result<()> {
    beside
        .as_file()
        .set_permissions(Permissions::from_mode(mode))
        .and_then(|()| beside.as_file().sync_all())
        .map_err(|error| Error::io(path, "write this file", &error))
}

fn temporary(path: &Path) -> Builder<'static, '_> {
    let mut builder = Builder::new();
    builder.suffix(path.file_name().unwrap_or_default());
    builder.prefix(".");
    builder
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
