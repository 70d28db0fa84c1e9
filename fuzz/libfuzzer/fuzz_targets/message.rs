#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| crosspipe_fuzz::targets::message(input));
