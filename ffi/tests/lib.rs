//! The tests of the C interface, as one binary.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod header;
mod programs;
