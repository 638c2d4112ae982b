//! Files on disk: read in bounded time and memory, and written as wholes.

mod read;
mod write;

pub(crate) use read::{Found, Received, find, list, place, place_of_directory, read_to_end};
pub(crate) use write::Written;
