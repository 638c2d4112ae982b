//! The border: what comes in is checked, what goes out is owned, and no panic crosses.

use std::ffi::c_char;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::ptr;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Fail, kubepki_error};

/// What every function that can fail answers with.
pub(crate) type Answer = Option<Box<kubepki_error>>;

/// Runs what may fail; a panic becomes an error.
pub(crate) fn guard(act: impl FnOnce() -> Result<(), Fail>) -> Answer {
    quietly(act).unwrap_or_else(|| Err(kubepki_error::internal())).err()
}

/// Runs what cannot fail; `None` after a panic.
pub(crate) fn quietly<T>(act: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(act)).map_err(drop_payload).ok()
}

/// Dropping what a panic carries may panic again. What that carries is left: it could do so without end.
fn drop_payload(payload: Box<dyn std::any::Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// Makes a handle. Nothing is made when there is nowhere to put it.
pub(crate) fn make<T>(out: Out<*mut T>, act: impl FnOnce() -> Result<T, Fail>) -> Answer {
    give(out, || Ok(Box::into_raw(Box::new(act()?))))
}

/// Writes a value, on success only.
pub(crate) fn give<T>(out: Out<T>, act: impl FnOnce() -> Result<T, Fail>) -> Answer {
    guard(|| {
        let place = out.place()?;
        let value = act()?;
        // SAFETY: whoever made this Out promised that a value may be written here, and it is not null.
        unsafe { place.write(value) };
        Ok(())
    })
}

/// Changes a handle, the parameter `name`.
pub(crate) fn change<T>(
    name: &'static str,
    handle: Option<&mut T>,
    act: impl FnOnce(&mut T) -> Result<(), Fail>,
) -> Answer {
    guard(|| act(handle.ok_or_else(|| kubepki_error::null(name))?))
}

/// Looks at a handle; an empty answer when there is none.
pub(crate) fn look<T, V: Default>(handle: Option<&T>, act: impl FnOnce(&T) -> V) -> V {
    handle.and_then(|handle| quietly(|| act(handle))).unwrap_or_default()
}

/// A handle that must be there.
pub(crate) fn some<'a, T>(handle: Option<&'a T>, name: &'static str) -> Result<&'a T, Fail> {
    handle.ok_or_else(|| kubepki_error::null(name))
}

/// Drops a handle.
pub(crate) fn free<T>(handle: Option<Box<T>>) {
    _ = quietly(|| drop(handle));
}

/// Where a function is to write.
#[derive(Clone, Copy)]
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    ///
    /// `place` is null, or a value of `T` may be written there.
    pub(crate) unsafe fn new(place: *mut T) -> Self {
        Self(place)
    }

    fn place(&self) -> Result<*mut T, Fail> {
        if self.0.is_null() { Err(kubepki_error::null("out")) } else { Ok(self.0) }
    }
}

/// The parameter `out`.
macro_rules! out {
    ($out:ident) => {
        // SAFETY: the header asks for a place to write to, or NULL.
        unsafe { $crate::guard::Out::new($out) }
    };
}
pub(crate) use out;

/// Bytes that a caller gives for the time of the call.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    name: &'static str,
    data: *const u8,
    len: usize,
    bytes: std::marker::PhantomData<&'a [u8]>,
}

impl<'a> Input<'a> {
    /// # Safety
    ///
    /// `data` is null, or `len` bytes can be read there for `'a`, which nobody changes.
    pub(crate) unsafe fn new(name: &'static str, data: *const u8, len: usize) -> Self {
        Self { name, data, len, bytes: std::marker::PhantomData }
    }

    /// The bytes. No bytes need no place.
    pub(crate) fn bytes(self) -> Result<&'a [u8], Fail> {
        match (self.len, self.data.is_null()) {
            (0, _) => Ok(&[]),
            (_, true) => Err(kubepki_error::null(self.name)),
            (len, _) if isize::try_from(len).is_err() => {
                Err(kubepki_error::invalid(self.name, "a length that fits into memory", &len.to_string()))
            }
            // SAFETY: whoever made this Input promised that so many bytes can be read, and the length is no
            // larger than an object can be.
            (len, _) => Ok(unsafe { std::slice::from_raw_parts(self.data, len) }),
        }
    }

    /// The bytes as text.
    pub(crate) fn text(self) -> Result<&'a str, Fail> {
        std::str::from_utf8(self.bytes()?).map_err(|_| kubepki_error::not_utf8(self.name))
    }

    /// A value of the crate that has a text form.
    pub(crate) fn parse<T: FromStr<Err = ::pki::Error>>(self) -> Result<T, Fail> {
        Ok(self.text()?.parse()?)
    }

    /// The same where no text stands for none.
    pub(crate) fn optional<T: FromStr<Err = ::pki::Error>>(self) -> Result<Option<T>, Fail> {
        if self.len == 0 { Ok(None) } else { self.parse().map(Some) }
    }

    /// Makes something for which no text must be told.
    pub(crate) fn none<T>(self, make: impl FnOnce() -> T) -> Result<T, Fail> {
        match self.text()? {
            "" => Ok(make()),
            told => Err(kubepki_error::invalid(self.name, "none", told)),
        }
    }

    /// An IP address.
    pub(crate) fn address(self) -> Result<IpAddr, Fail> {
        let text = self.text()?;
        text.parse().map_err(|_| kubepki_error::invalid(self.name, "an IPv4 or IPv6 address", text))
    }

    /// The bytes as text of which there is some.
    pub(crate) fn some_text(self) -> Result<&'a str, Fail> {
        match self.text()? {
            "" => Err(kubepki_error::invalid(self.name, "some text", "")),
            text => Ok(text),
        }
    }

    /// A path. It is text of one line, for it comes back in arguments, kubeconfigs and errors.
    pub(crate) fn path(self) -> Result<PathBuf, Fail> {
        match self.text()? {
            "" => Err(kubepki_error::invalid(self.name, "a path", "")),
            text if text.contains(char::is_control) => {
                Err(kubepki_error::invalid(self.name, "a path without control characters", text))
            }
            text => Ok(text.into()),
        }
    }
}

/// A pointer and its length, which are called `NAME` and `NAME_len`.
macro_rules! input {
    ($name:ident, $len:ident) => {
        // SAFETY: the header asks for so many bytes, for the time of the call, or NULL.
        unsafe { $crate::guard::Input::new(stringify!($name), $name.cast(), $len) }
    };
}
pub(crate) use input;

/// Handles that a caller gives one after the other, for the time of the call.
///
/// # Safety
///
/// `handles` is null, or `count` handles can be read there for `'a`, each null or one of `T`.
pub(crate) unsafe fn handles<'a, T>(
    name: &'static str,
    handles: *const *const T,
    count: usize,
) -> Result<Vec<&'a T>, Fail> {
    let most = usize::MAX / 2 / size_of::<*const T>();
    match (count, handles.is_null()) {
        (0, _) => Ok(Vec::new()),
        (_, true) => Err(kubepki_error::null(name)),
        _ if count > most => {
            Err(kubepki_error::invalid(name, "a count that fits into memory", &count.to_string()))
        }
        // SAFETY: the caller promised that so many can be read; `Option<&T>` is a pointer, null for none.
        _ => unsafe { std::slice::from_raw_parts(handles.cast::<Option<&T>>(), count) }
            .iter()
            .map(|handle| some(*handle, name))
            .collect(),
    }
}

/// Seconds as a duration.
pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Text that belongs to a handle: UTF-8, not terminated. `data` is NULL where there is none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kubepki_text {
    /// The first byte.
    pub data: *const c_char,
    /// How many bytes.
    pub len: usize,
}

impl Default for kubepki_text {
    fn default() -> Self {
        Self { data: ptr::null(), len: 0 }
    }
}

impl From<&str> for kubepki_text {
    fn from(text: &str) -> Self {
        Self { data: address(text.as_bytes()).cast(), len: text.len() }
    }
}

impl From<Option<&str>> for kubepki_text {
    fn from(text: Option<&str>) -> Self {
        text.map(Self::from).unwrap_or_default()
    }
}

/// Bytes that belong to a handle. `data` is NULL where there are none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kubepki_bytes {
    /// The first byte.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

impl Default for kubepki_bytes {
    fn default() -> Self {
        Self { data: ptr::null(), len: 0 }
    }
}

impl From<&[u8]> for kubepki_bytes {
    fn from(bytes: &[u8]) -> Self {
        Self { data: address(bytes), len: bytes.len() }
    }
}

/// Where bytes are. Rust has those of nothing at addresses where nothing can be, at which Go's runtime ends the process.
fn address(bytes: &[u8]) -> *const u8 {
    static NOTHING: u8 = 0;
    if bytes.is_empty() { &raw const NOTHING } else { bytes.as_ptr() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::kubepki_code;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(0);
        }
    }

    #[test]
    fn a_panic_becomes_an_error_even_when_what_it_carries_panics_too() {
        for act in [|| panic!("a bug"), || std::panic::panic_any(Bomb)] {
            assert_eq!(guard(act).unwrap().code, kubepki_code::KUBEPKI_ERROR_INTERNAL);
        }
        assert!(quietly(|| drop(Bomb)).is_none());
        free(Some(Box::new(Bomb)));
    }

    #[test]
    fn nothing_is_made_where_there_is_no_place_for_it() {
        // SAFETY: null is allowed.
        let out = unsafe { Out::<*mut u8>::new(ptr::null_mut()) };
        let error = make(out, || panic!("made all the same")).unwrap();
        assert_eq!(error.code, kubepki_code::KUBEPKI_ERROR_NULL);
    }

    #[test]
    fn a_view_of_nothing_has_an_address() {
        for data in [kubepki_text::from("").data.cast(), kubepki_bytes::from(&[][..]).data] {
            assert!(data.addr() > 4096);
        }
        assert!(kubepki_text::from(None).data.is_null());
    }

    #[test]
    fn what_cannot_be_bytes_is_refused() {
        let of = |data, len| {
            // SAFETY: no such length is ever read.
            unsafe { Input::new("text", data, len) }.text().map_err(|error| error.code)
        };
        let byte = b"\xff";
        assert_eq!(of(ptr::null(), 0), Ok(""));
        assert_eq!(of(byte.as_ptr(), 0), Ok(""));
        assert_eq!(of(ptr::null(), usize::MAX), Err(kubepki_code::KUBEPKI_ERROR_NULL));
        assert_eq!(of(byte.as_ptr(), usize::MAX), Err(kubepki_code::KUBEPKI_ERROR_INVALID));
        assert_eq!(of(byte.as_ptr(), 1), Err(kubepki_code::KUBEPKI_ERROR_INVALID));
    }
}
