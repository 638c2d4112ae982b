//! [`kubepki_fuzz::cluster_info`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::cluster_info(data));
