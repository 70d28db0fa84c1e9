//! IAM policy documents, as AWS accepts them and as AWS gives them back.
//!
//! # Layout
//! - [`document`]: the document, which keeps unknown members and order, and views of its statements
//! - [`grammar`]: what AWS would never have saved
//! - [`principal`]: what a `Principal` element names
//! - [`meaning`]: comparison of documents by what they mean
//! - [`merge`]: grant and revoke by owned Sid
//! - [`terraform`]: statements as Terraform writes them
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

pub mod document;
pub mod grammar;
pub mod meaning;
pub mod merge;
pub mod principal;
pub mod terraform;

pub use document::{Effect, LanguageVersion, PolicyDocument, PolicyError, Scalars, Statement};
pub use grammar::{GrammarFault, PolicyKind};
pub use merge::{Change, OwnedStatements};
