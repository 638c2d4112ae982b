//! [`kubepki_fuzz::kubeconfig`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::kubeconfig(data));
