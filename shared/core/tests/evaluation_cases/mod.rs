//! The cases that are about one statement: its principal, its resource, its conditions; and whom policies
//! limit at all.

mod conditions;
mod grammar;
mod limits;
mod principals;
