//! Reports for people and for machines.

mod tree;

pub use tree::Tree;
