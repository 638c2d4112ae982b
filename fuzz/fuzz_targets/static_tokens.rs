//! [`kubepki_fuzz::static_tokens`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::static_tokens(data));
