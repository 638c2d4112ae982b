//! [`kubepki_fuzz::service_account_token`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubepki_fuzz::service_account_token(data));
