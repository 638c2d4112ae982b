//! What an audit says about machines that are not as they should be.

mod bad_input;
mod damages;
mod judges;
mod machine;
mod mending;
