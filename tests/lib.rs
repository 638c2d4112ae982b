//! The integration tests, as one binary.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod audit;
mod authentication;
mod care;
mod clusters;
mod disk;
mod foreign;
mod fuzz_corpus;
mod golden;
mod identity;
mod import;
mod judges;
mod keys;
mod manifests;
mod plan;
mod properties;
mod recipes;
mod refusals;
mod report;
mod requests;
mod support;
mod tokens;
mod verification;
mod walkthrough;
