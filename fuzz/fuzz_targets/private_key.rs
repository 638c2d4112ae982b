//! [`kubepki_fuzz::private_key`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::private_key(data));
