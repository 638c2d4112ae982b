//! Reading what may be anything: a pipe, a directory, a symbolic link to elsewhere, something endless.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// Longer than any file of a cluster's PKI.
const LONGEST: u64 = 4 << 20;
/// As many symbolic links as Linux follows in one path.
const MOST_LINKS: usize = 40;
/// More files than any directory of a cluster's PKI has.
const MOST_ENTRIES: usize = 10_000;

/// A file that was read.
pub(crate) struct Received {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// The permission bits.
    pub(crate) mode: u32,
    /// Where the last part of its path points to, if that is a symbolic link.
    pub(crate) link: Option<PathBuf>,
}

/// What is at a path.
pub(crate) enum Found {
    Nothing,
    File(Received),
    /// Something is there, and cannot be read.
    Unreadable(Error),
}

/// Reads the file at `path`; with a root, below that, from which symbolic links do not lead away.
pub(crate) fn find(root: Option<&Path>, path: &Path) -> Found {
    match read(root, path) {
        Ok(Some(received)) => Found::File(received),
        Ok(None) => Found::Nothing,
        Err(error) => Found::Unreadable(error),
    }
}

/// Reads what a caller names, also a pipe, to its end or a byte further than any file of a PKI is long: what takes PEM
/// refuses that.
pub(crate) fn read_to_end(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| Error::io(path, "read this file", &error))
}

fn read(root: Option<&Path>, path: &Path) -> Result<Option<Received>> {
    let failed = |error: &std::io::Error| Error::io(path, "read this file", error);
    let (place, link) = match root {
        Some(root) => match resolve(root, path) {
            Ok(place) => place,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        },
        None => (path.to_owned(), fs::read_link(path).ok()),
    };
    let metadata = match fs::metadata(&place) {
        Err(error) if is_absent(&error) && link.is_none() => return Ok(None),
        Err(error) => return Err(failed(&error)),
        Ok(metadata) => metadata,
    };
    let refused =
        |found: String| Err(Error::new(Code::Malformed, "a file of at most 4 MiB").found(found).file(path));
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        return refused(
            if metadata.is_dir() { "a directory" } else { "something that is no file" }.to_owned(),
        );
    }
    if metadata.len() > LONGEST {
        return refused(format!("{} bytes", metadata.len()));
    }
    let file = File::open(&place).map_err(|error| failed(&error))?;
    // One allocation: no copy of a key is left behind. A file may grow while it is read.
    let size = usize::try_from(metadata.len()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
    file.take(metadata.len() + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    match bytes.len() > size {
        true => refused("one that is being written".to_owned()),
        false => Ok(Some(Received { bytes, mode: metadata.mode() & 0o7777, link })),
    }
}

/// Where a file lies here; with a root, below that, wherever links lead to its directory. A link in its own place is not
/// followed.
pub(crate) fn place(root: Option<&Path>, path: &Path) -> Result<PathBuf> {
    match (root, path.parent(), path.file_name()) {
        (Some(_), Some(parent), Some(name)) => Ok(place_of_directory(root, parent)?.join(name)),
        _ => place_of_directory(root, path),
    }
}

/// Where a directory lies here, with a root as [`place`] says. Of its path an end may not be there yet.
pub(crate) fn place_of_directory(root: Option<&Path>, path: &Path) -> Result<PathBuf> {
    let Some(root) = root else { return Ok(path.to_owned()) };
    for known in path.ancestors() {
        match resolve(root, known) {
            Ok((place, _)) => return Ok(place.join(path.strip_prefix(known).unwrap_or(path))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(path, "look for this directory", &error)),
        }
    }
    Ok(root.to_owned())
}

/// The names of the files at and below `directory`, a bearable number of them, relative to it and in order; `depth`
/// levels of directories deep.
pub(crate) fn list(directory: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    let failed = |at: &Path, error| Error::io(at, "read this directory", &error);
    let mut found = Vec::new();
    let mut waiting = VecDeque::from([(PathBuf::new(), depth)]);
    while let Some((below, depth)) = waiting.pop_front() {
        let here = directory.join(&below);
        for entry in fs::read_dir(&here).map_err(|error| failed(&here, error))? {
            let entry = entry.map_err(|error| failed(&here, error))?;
            let path = below.join(entry.file_name());
            match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true if depth > 0 => waiting.push_back((path, depth - 1)),
                true => {}
                false => found.push(path),
            }
            if found.len() + waiting.len() > MOST_ENTRIES {
                return Err(Error::new(Code::Malformed, format!("at most {MOST_ENTRIES} files"))
                    .found("more")
                    .file(directory));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Where `path` leads, if `root` were the root directory: as chroot would have it. With the target of a link at its end.
fn resolve(root: &Path, path: &Path) -> std::io::Result<(PathBuf, Option<PathBuf>)> {
    let parts = |path: &Path| -> VecDeque<OsString> {
        let normal = |part: Component<'_>| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        };
        path.components().filter_map(normal).collect()
    };
    let (mut left, mut inside, mut links, mut last_link) = (parts(path), PathBuf::new(), 0, None);
    while let Some(part) = left.pop_front() {
        if part == ".." {
            inside.pop();
            continue;
        }
        let here = root.join(&inside).join(&part);
        let metadata = match fs::symlink_metadata(&here) {
            // What is there is a link: that it leads nowhere is no absence.
            Err(error) if last_link.is_some() => return Err(std::io::Error::other(error.to_string())),
            other => other?,
        };
        if !metadata.is_symlink() {
            inside.push(part);
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(std::io::Error::other("too many symbolic links"));
        }
        let target = fs::read_link(&here)?;
        if left.is_empty() && last_link.is_none() {
            last_link = Some(target.clone());
        }
        if target.is_absolute() {
            inside = PathBuf::new();
        }
        let mut next = parts(&target);
        next.append(&mut left);
        left = next;
    }
    Ok((root.join(inside), last_link))
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn text(found: Found) -> String {
        match found {
            Found::Nothing => "nothing".to_owned(),
            Found::File(file) => String::from_utf8_lossy(&file.bytes).into_owned(),
            Found::Unreadable(error) => error.to_string(),
        }
    }

    #[test]
    fn links_below_a_root_never_lead_out_of_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir_all(root.join("var/lib")).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("var/lib/dated"), "inside").unwrap();
        symlink("/var/lib/dated", root.join("etc/absolute")).unwrap();
        symlink("../var/lib/dated", root.join("etc/relative")).unwrap();
        symlink("../../../../../../../var/lib/dated", root.join("etc/above")).unwrap();
        symlink("/var", root.join("etc/directory")).unwrap();
        symlink("loop", root.join("etc/loop")).unwrap();
        symlink("/nowhere", root.join("etc/dangling")).unwrap();
        for name in ["absolute", "relative", "above", "directory/lib/dated"] {
            assert_eq!(text(find(Some(root), &Path::new("/etc").join(name))), "inside", "{name}");
        }
        assert!(text(find(Some(root), Path::new("/etc/loop"))).contains("too many symbolic links"));
        for (root, name) in [(Some(root), Path::new("/etc/dangling")), (None, &*root.join("etc/dangling"))] {
            assert!(text(find(root, name)).contains("No such file"), "{name:?}");
        }
        assert_eq!(text(find(Some(root), Path::new("/etc/passwd"))), "nothing");
        assert!(text(find(Some(root), Path::new("/etc"))).contains("a directory"));
    }

    #[test]
    fn what_is_endless_or_no_file_is_refused_without_reading_it() {
        assert!(text(find(None, Path::new("/dev/zero"))).contains("something that is no file"));
        let huge = tempfile::NamedTempFile::new().unwrap();
        huge.as_file().set_len(1 << 40).unwrap();
        assert!(text(find(None, huge.path())).contains("1099511627776 bytes"));
    }
}
