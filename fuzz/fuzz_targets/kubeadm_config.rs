//! [`kubepki_fuzz::kubeadm_config`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::kubeadm_config(data));
