//! Texts and files that a caller owns.

use std::ffi::{c_char, c_void};
use std::path::{Component, PathBuf};
use std::str::FromStr;

use ::pki::{Error, File, Part};
use zeroize::Zeroizing;

use crate::error::{Fail, kubepki_error};
use crate::guard::{Input, change, free, input, kubepki_bytes, kubepki_text, look, make, out};

/// One text that a function made. It may be a secret: it is overwritten when it is freed.
pub struct kubepki_buffer(Zeroizing<String>);

impl kubepki_buffer {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn secret(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

/// The text.
///
/// Threads: any at once. The view lives as long as the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_buffer_text(buffer: Option<&kubepki_buffer>) -> kubepki_text {
    look(buffer, |buffer| buffer.0.as_str().into())
}

/// Frees a buffer. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_buffer_free(buffer: Option<Box<kubepki_buffer>>) {
    free(buffer);
}

/// Several texts. They may be secrets: they are overwritten when they are freed.
#[derive(Default)]
pub struct kubepki_list(Vec<Zeroizing<String>>);

impl kubepki_list {
    pub(crate) fn new<T: ToString>(texts: impl IntoIterator<Item = T>) -> Self {
        Self(texts.into_iter().map(|text| Zeroizing::new(text.to_string())).collect())
    }
}

/// The texts of a list that a caller gives; NULL is an empty one.
pub(crate) fn texts(list: Option<&kubepki_list>) -> impl Iterator<Item = &str> {
    list.into_iter().flat_map(|list| &list.0).map(|text| text.as_str())
}

/// The same as values of the crate.
pub(crate) fn parsed<T: FromStr<Err = Error>>(list: Option<&kubepki_list>) -> Result<Vec<T>, Fail> {
    Ok(texts(list).map(str::parse).collect::<Result<_, _>>()?)
}

/// An empty list, to be filled by `kubepki_list_add`.
///
/// Threads: any. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_list_new(out: *mut *mut kubepki_list) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_list::default()))
}

/// Adds a text, which is copied.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_list_add(
    list: Option<&mut kubepki_list>,
    text: *const c_char,
    text_len: usize,
) -> Option<Box<kubepki_error>> {
    let text = input!(text, text_len);
    change("list", list, |list| {
        list.0.push(Zeroizing::new(text.text()?.to_owned()));
        Ok(())
    })
}

/// How many texts there are.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_list_count(list: Option<&kubepki_list>) -> usize {
    look(list, |list| list.0.len())
}

/// One of the texts; empty beyond the last.
///
/// Threads: any at once. The view lives until the list is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_list_at(list: Option<&kubepki_list>, index: usize) -> kubepki_text {
    look(list, |list| list.0.get(index).map(|text| text.as_str()).into())
}

/// Frees a list. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_list_free(list: Option<Box<kubepki_list>>) {
    free(list);
}

/// Files in memory. They are overwritten when they are freed.
#[derive(Default)]
pub struct kubepki_files(Vec<Entry>);

struct Entry {
    role: &'static str,
    part: &'static str,
    path: String,
    bytes: Zeroizing<Vec<u8>>,
    mode: u32,
}

/// One file.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_file {
    /// Its role, such as `kube-apiserver`; empty for a file that was added by `kubepki_files_add`.
    pub role: kubepki_text,
    /// What it holds: `certificate`, `key`, `public-key` or `kubeconfig`; empty likewise.
    pub part: kubepki_text,
    /// Its path below the directory of the machine's Kubernetes files: `pki/apiserver.crt`, `admin.conf`.
    pub path: kubepki_text,
    /// Its contents: PEM or YAML. Keys and kubeconfigs are secrets.
    pub bytes: kubepki_bytes,
    /// Its mode: 0600 for everything but certificates, which are 0644, or as it was found; 0 for a file that was added.
    pub mode: u32,
}

/// The parts of a role, with their names.
const PARTS: [(Part, &str); 4] = [
    (Part::Certificate, "certificate"),
    (Part::Key, "key"),
    (Part::PublicKey, "public-key"),
    (Part::Kubeconfig, "kubeconfig"),
];

impl kubepki_files {
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = &'a File>) -> Self {
        let entry = |file: &File| Entry {
            role: file.role().id(),
            part: PARTS.iter().find(|(part, _)| *part == file.part()).map_or("", |(_, name)| name),
            path: file.path().display().to_string(),
            bytes: Zeroizing::new(file.bytes().to_vec()),
            mode: file.mode(),
        };
        Self(files.into_iter().map(entry).collect())
    }

    pub(crate) fn contents(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|entry| (entry.path.as_str(), entry.bytes.as_slice()))
    }
}

/// A part by its name.
pub(crate) fn part(name: &str) -> Result<Part, Fail> {
    let known = PARTS.iter().find(|(_, known)| *known == name);
    known.map(|(part, _)| *part).ok_or_else(|| {
        kubepki_error::invalid("part_name", "certificate, key, public-key or kubeconfig", name)
    })
}

/// An empty set of files, to be filled by `kubepki_files_add`.
///
/// Threads: any. Free `*out` by `kubepki_files_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_files_new(out: *mut *mut kubepki_files) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_files::default()))
}

/// Adds a file: its path below the directory of a machine's Kubernetes files, such as `pki/ca.crt`, each once, and its
/// contents. What is no file of a machine's is passed over by whatever takes the files.
///
/// Threads: one at a time. Both are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_files_add(
    files: Option<&mut kubepki_files>,
    path: *const c_char,
    path_len: usize,
    bytes: *const c_void,
    bytes_len: usize,
) -> Option<Box<kubepki_error>> {
    let (path, bytes) = (input!(path, path_len), input!(bytes, bytes_len));
    change("files", files, |files| {
        let (path, bytes) = (below(path)?, Zeroizing::new(bytes.bytes()?.to_vec()));
        if files.0.iter().any(|entry| entry.path == path) {
            return Err(kubepki_error::invalid("path", "each file once", &path));
        }
        files.0.push(Entry { role: "", part: "", path, bytes, mode: 0 });
        Ok(())
    })
}

/// A path below a directory, as it is written there.
fn below(path: Input<'_>) -> Result<String, Fail> {
    let given = path.path()?;
    match given.components().all(|part| matches!(part, Component::Normal(_))) {
        true => Ok(given.components().collect::<PathBuf>().display().to_string()),
        false => {
            let expected = "a path below the directory of a machine's Kubernetes files (pki/ca.crt)";
            Err(kubepki_error::invalid("path", expected, path.text()?))
        }
    }
}

/// How many files there are.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_files_count(files: Option<&kubepki_files>) -> usize {
    look(files, |files| files.0.len())
}

/// One of the files; empty beyond the last.
///
/// Threads: any at once. The views live until the files are changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_files_at(files: Option<&kubepki_files>, index: usize) -> kubepki_file {
    look(files, |files| match files.0.get(index) {
        None => kubepki_file::default(),
        Some(Entry { role, part, path, bytes, mode }) => kubepki_file {
            role: (*role).into(),
            part: (*part).into(),
            path: path.as_str().into(),
            bytes: bytes.as_slice().into(),
            mode: *mode,
        },
    })
}

/// Frees files. NULL is allowed.
///
/// Threads: any, the last to use them.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_files_free(files: Option<Box<kubepki_files>>) {
    free(files);
}
