//! Saving to a directory: whole files or none, and none that was there before.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::Pki;
use crate::disk::{Written, place};
use crate::error::{Code, Error, Result};
use crate::file::File;
use crate::layout::Layout;

impl Pki {
    /// Writes every file of a layout, such as `/etc/kubernetes`, with its mode; directories are made as needed.
    ///
    /// A file that is already there is left as it is, its mode too: when it has the same bytes it counts as written,
    /// otherwise nothing is written at all. Each file is written beside its place, synced and renamed; when one cannot
    /// be, those that this call has put in place are taken away again. A crash in between may leave some of the files;
    /// saving the same `Pki` again completes them.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] for an empty path, [`Code::Exists`] with the file that is there and differs, [`Code::Io`] with
    /// the file that could not be written.
    pub fn save(&self, layout: impl Into<Layout>) -> Result<()> {
        Self::save_all([(layout, self)])
    }

    /// Saves several machines, each below its own directory: all of them, or when one file cannot be written, none.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save).
    pub fn save_all<'a, L: Into<Layout>>(machines: impl IntoIterator<Item = (L, &'a Self)>) -> Result<()> {
        let mut missing = BTreeMap::<_, &File>::new();
        for (layout, pki) in machines {
            let layout = layout.into();
            if layout.directory().as_os_str().is_empty() {
                return Err(Error::invalid("directory", "the path of a directory", ""));
            }
            for file in pki.files() {
                let path = place(layout.root_directory(), &layout.absolute(file.path()))?;
                match missing.get(&path) {
                    Some(other) if other.has_contents(file.bytes()) => {}
                    Some(_) => return Err(exists(&path, "a file of another one of these machines")),
                    None if is_there(&path, file)? => {}
                    None => _ = missing.insert(path, file),
                }
            }
        }
        let mut written = Written::default();
        for (path, file) in &missing {
            written.write_new(path, file.bytes(), file.mode())?;
        }
        written.put_in_place()
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
