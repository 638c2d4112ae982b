//! [`kubepki_fuzz::machine`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::machine(data));
