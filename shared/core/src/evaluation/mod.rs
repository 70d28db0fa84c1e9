//! Would this request be allowed, and which statement says so?
//!
//! # Layout
//! - [`request`], [`requester`], [`context`]: who asks for what, in which context
//! - [`policies`]: the policies that have a say
//! - [`decide`], [`policy_result`], [`decision_reasons`]: combining them to a decision that carries its reason
//! - [`statement`], [`principal`], [`resource`]: does one statement match?
//! - [`condition`], [`operator`], [`comparison`], [`date`]: do its conditions hold?
//! - [`variables`], [`pattern`]: policy variables and wildcards
//! - [`grants`]: grants on KMS keys
//! - [`question`]: a request with its policies as JSON
//!
//! Every question has three answers. What the facts at hand do not settle is `Unknown`, never a
//! guess: a rule that speaks up only on `No` raises no false alarm. `docs/evaluation.md` lists these cases.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

pub mod comparison;
pub mod condition;
pub mod context;
pub mod date;
pub mod decide;
pub mod decision_reasons;
pub mod grants;
pub mod operator;
pub mod pattern;
pub mod policies;
pub mod policy_result;
pub mod principal;
pub mod question;
pub mod request;
pub mod requester;
pub mod resource;
pub mod statement;
mod ternary;
pub mod variables;

pub use context::{Context, ContextValue};
pub use decide::{Decision, Evaluation, evaluate, evaluate_within};
pub use decision_reasons::{DecisionReasons, RefusedPolicy, Side, StatementRef};
pub use grants::KeyGrant;
pub use policies::{Guardrails, Policies, PolicySet, ResourcePolicy};
pub use question::Question;
pub use request::Request;
pub use requester::{Requester, RequesterError};
pub use ternary::Ternary;
