//! Saving to a directory: whole files or none, and none that was there before.

use std::fs::{self, DirBuilder, File as OpenFile, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};
use zeroize::Zeroizing;

use super::Pki;
use crate::error::{Code, Error, Result};
use crate::file::File;

const DIRECTORY_MODE: u32 = 0o755;

impl Pki {
    /// Writes every file below `directory`, such as `/etc/kubernetes`, with its mode; directories are made as needed.
    ///
    /// A file that is already there is left as it is, its mode too: when it has the same bytes it counts as written,
    /// otherwise nothing is written at all. Each file is written beside its place, synced and renamed; when one cannot
    /// be, those that this call has put in place are taken away again. A crash in between may leave some of the files;
    /// saving the same `Pki` again completes them.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] for an empty path, [`Code::Exists`] with the file that is there and differs, [`Code::Io`] with the file that could not be written.
    pub fn save(&self, directory: impl AsRef<Path>) -> Result<()> {
        Self::save_all([(directory, self)])
    }

    /// Saves several machines, each below its own directory: all of them, or when one file cannot be written, none.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save).
    pub fn save_all<'a, D: AsRef<Path>>(machines: impl IntoIterator<Item = (D, &'a Self)>) -> Result<()> {
        let mut missing = Vec::new();
        for (directory, pki) in machines {
            let directory = directory.as_ref();
            if directory.as_os_str().is_empty() {
                return Err(Error::invalid("directory", "the path of a directory", ""));
            }
            for file in pki.files() {
                let path = directory.join(file.path());
                if !is_there(&path, file)? {
                    missing.push((file, path));
                }
            }
        }
        let mut written = Written::default();
        for (file, path) in &missing {
            written.write_beside(file, path)?;
        }
        written.put_in_place()
    }
}

/// What a save has done so far. Dropped before it is complete, it undoes that.
#[derive(Default)]
struct Written {
    beside: Vec<(NamedTempFile, PathBuf)>,
    in_place: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

impl Written {
    fn write_beside(&mut self, file: &File, path: &Path) -> Result<()> {
        let parent = path.parent().unwrap_or(Path::new("."));
        self.make_directory(parent)?;
        let failed = |error| Error::io(path, "write this file", &error);
        let name = path.file_name().unwrap_or_default();
        // Made with mode 0600, so that no key is ever readable by others.
        let mut beside = Builder::new().prefix(".").suffix(name).tempfile_in(parent).map_err(failed)?;
        beside.write_all(file.bytes()).map_err(failed)?;
        beside.as_file().set_permissions(Permissions::from_mode(file.mode())).map_err(failed)?;
        beside.as_file().sync_all().map_err(failed)?;
        self.beside.push((beside, path.to_owned()));
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

    fn put_in_place(mut self) -> Result<()> {
        for (beside, path) in std::mem::take(&mut self.beside) {
            // Fails rather than replace a file that has appeared in the meantime.
            match beside.persist_noclobber(&path) {
                Ok(_) => self.in_place.push(path),
                Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {
                    return Err(exists(&path, "a file that has just appeared"));
                }
                Err(refused) => return Err(Error::io(&path, "put this file in its place", &refused.error)),
            }
        }
        let mut changed: Vec<_> =
            self.in_place.iter().chain(&self.directories).filter_map(|it| it.parent()).collect();
        changed.sort();
        changed.dedup();
        for directory in changed {
            let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
            OpenFile::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(|error| Error::io(directory, "sync this directory", &error))?;
        }
        self.in_place.clear();
        self.directories.clear();
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        self.beside.clear();
        // Best effort: the first failure has been reported, and what others have put into a directory stays.
        for path in &self.in_place {
            _ = fs::remove_file(path);
        }
        for directory in self.directories.iter().rev() {
            _ = fs::remove_dir(directory);
        }
    }
}

/// Whether the file is there already, with the same contents and readable by nobody else; an error if another is.
fn is_there(path: &Path, file: &File) -> Result<bool> {
    let exists = |found: &str| Err(exists(path, found));
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io(path, "look for this file", &error)),
        Ok(metadata) if metadata.is_symlink() => return exists("a symbolic link"),
        Ok(metadata) if !metadata.is_file() => return exists("something that is no file"),
        Ok(metadata) => metadata,
    };
    let bytes =
        fs::read(path).map(Zeroizing::new).map_err(|error| Error::io(path, "read this file", &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    match (file.has_contents(&bytes), mode & !file.mode()) {
        (false, _) => exists("another file"),
        (true, 0) => Ok(true),
        (true, _) => exists(&format!("the same with mode {mode:o}, which is wider than {:o}", file.mode())),
    }
}

fn exists(path: &Path, found: &str) -> Error {
    let expected = "no file here yet (none is replaced: choose another directory)";
    Error::new(Code::Exists, expected).found(found).file(path)
}
