pub(crate) fn kubeadm(_: &mut crate::report::Report, _: kubepki::KeyAlgorithm) -> crate::report::Result { Ok(()) }
