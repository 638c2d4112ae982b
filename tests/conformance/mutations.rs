pub(crate) fn mutations(_: &mut crate::report::Report) -> crate::report::Result { Ok(()) }
