//! [`kubepki_fuzz::certificate_signing_request`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::certificate_signing_request(data));
