//! Acting as another user.

use std::ffi::c_char;

use ::pki::Impersonation;

use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, input, kubepki_text, look, make, out, some};
use crate::owned::kubepki_list;

/// The user that a client asks the API server to take it for, once it has said who it is itself.
pub struct kubepki_impersonation {
    pub(crate) impersonation: Impersonation,
    headers: Vec<(String, String)>,
}

impl From<Impersonation> for kubepki_impersonation {
    fn from(impersonation: Impersonation) -> Self {
        Self { headers: impersonation.headers(), impersonation }
    }
}

/// One header of a request.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_header {
    /// Its name, such as `Impersonate-User`.
    pub name: kubepki_text,
    /// Its value.
    pub value: kubepki_text,
}

fn tell(
    impersonation: Option<&mut kubepki_impersonation>,
    what: impl FnOnce(Impersonation) -> Result<Impersonation, Fail>,
) -> Option<Box<kubepki_error>> {
    change("impersonation", impersonation, |known| {
        *known = what(known.impersonation.clone())?.into();
        Ok(())
    })
}

/// Acting as a user of this name, of whatever kind: `jane`, `system:node:cp-1`, `system:serviceaccount:NAMESPACE:NAME`.
/// Without groups the API server adds those that follow from the name, no others that the user has.
///
/// Threads: any. Free `*out` by `kubepki_impersonation_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_impersonation_new(
    user: *const c_char,
    user_len: usize,
    out: *mut *mut kubepki_impersonation,
) -> Option<Box<kubepki_error>> {
    let user = input!(user, user_len);
    make(out!(out), || Ok(Impersonation::new(user.text()?)?.into()))
}

/// In this group too.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_impersonation_add_group(
    impersonation: Option<&mut kubepki_impersonation>,
    group: *const c_char,
    group_len: usize,
) -> Option<Box<kubepki_error>> {
    let group = input!(group, group_len);
    tell(impersonation, |known| Ok(known.group(group.text()?)?))
}

/// With this UID.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_impersonation_set_uid(
    impersonation: Option<&mut kubepki_impersonation>,
    uid: *const c_char,
    uid_len: usize,
) -> Option<Box<kubepki_error>> {
    let uid = input!(uid, uid_len);
    tell(impersonation, |known| Ok(known.uid(uid.text()?)?))
}

/// With one more value of an extra field, whose key is in lower case.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_impersonation_add_extra(
    impersonation: Option<&mut kubepki_impersonation>,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
) -> Option<Box<kubepki_error>> {
    let (key, value) = (input!(key, key_len), input!(value, value_len));
    tell(impersonation, |known| Ok(known.extra(key.text()?, value.text()?)?))
}

/// How many headers a request needs.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_impersonation_header_count(impersonation: Option<&kubepki_impersonation>) -> usize {
    look(impersonation, |known| known.headers.len())
}

/// One of the headers of a request to the API server; empty beyond the last.
///
/// Threads: any at once. The views live until the impersonation is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_impersonation_header_at(
    impersonation: Option<&kubepki_impersonation>,
    index: usize,
) -> kubepki_header {
    look(impersonation, |known| match known.headers.get(index) {
        None => kubepki_header::default(),
        Some((name, value)) => kubepki_header { name: name.as_str().into(), value: value.as_str().into() },
    })
}

/// The roles that allow it, of this name, each in YAML: a ClusterRole, to be given by `kubepki_manifest_role_binding`,
/// and where the user is a service account a Role in its namespace.
///
/// Threads: any at once. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_impersonation_roles(
    impersonation: Option<&kubepki_impersonation>,
    name: *const c_char,
    name_len: usize,
    out: *mut *mut kubepki_list,
) -> Option<Box<kubepki_error>> {
    let name = input!(name, name_len);
    make(out!(out), || {
        let roles = some(impersonation, "impersonation")?.impersonation.roles(&name.parse()?);
        Ok(kubepki_list::new(roles.iter().map(|role| role.to_yaml().to_string())))
    })
}

/// Frees it. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_impersonation_free(impersonation: Option<Box<kubepki_impersonation>>) {
    free(impersonation);
}
