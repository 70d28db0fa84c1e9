//! The cases that are about one statement: its principal, its resource, its conditions.

mod conditions;
mod principals;
