//! What an audit says about machines that are not as they should be.

mod damages;
mod machine;
