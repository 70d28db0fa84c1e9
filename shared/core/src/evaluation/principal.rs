//! Does a resource policy's statement speak of the one who asks?

use serde_json::Value;

use super::Tri;
use super::request::Requester;
use crate::arn::Arn;
use crate::policy::Statement;
use crate::policy::principal::{Named, named};

/// How a statement names the requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// By account: the account's own identity policies have to allow the request as well.
    Account,
    /// By ARN, as a service, or as everyone.
    Direct,
}

/// Whether the statement speaks of the requester, and how. A statement without a principal element (an
/// identity policy's) speaks of whoever it is attached to.
pub fn speaks_of(statement: Statement<'_>, requester: &Requester) -> (Tri, Naming) {
    let raw = statement.raw();
    match (raw.get("Principal"), raw.get("NotPrincipal")) {
        (Some(element), _) => includes(element, requester),
        // What NotPrincipal leaves out of a Deny is not settled by AWS's documentation for roles.
        (None, Some(element)) => match includes(element, requester).0 {
            Tri::No => (Tri::Unknown, Naming::Direct),
            named => (!named, Naming::Direct),
        },
        (None, None) => (Tri::Yes, Naming::Direct),
    }
}

fn includes(element: &Value, requester: &Requester) -> (Tri, Naming) {
    let mut best = (Tri::No, Naming::Account);
    for principal in named(element) {
        let (answer, naming) = is(&principal, requester);
        best = match (best.0, answer) {
            (Tri::Yes, Tri::Yes) => (Tri::Yes, best.1.max(naming)),
            (Tri::Yes, _) | (_, Tri::No) => best,
            _ => (answer, naming),
        };
    }
    best
}

fn is(principal: &Named, requester: &Requester) -> (Tri, Naming) {
    let direct = |holds: bool| (Tri::from(holds), Naming::Direct);
    match (principal, requester) {
        (Named::Everyone, _) => direct(true),
        (Named::Account(account), _) => (Tri::from(requester.account() == Some(account)), Naming::Account),
        (Named::Arn(arn), Requester::Role(role)) => match session_of(arn, role) {
            // Some session of the role asks; whether it is this one is not known.
            true => (Tri::Unknown, Naming::Direct),
            false => direct(arn == role),
        },
        (Named::Arn(arn), Requester::User(user)) => direct(arn == user),
        (Named::Service(name), Requester::Service(asking)) => direct(name == asking),
        (Named::Service(_), _) | (Named::Arn(_), Requester::Service(_)) | (Named::UniqueId(_), _) => {
            direct(false)
        }
        (Named::Other(kind, _), _) => match kind.as_str() {
            "Federated" | "CanonicalUser" => direct(false),
            _ => (Tri::Unknown, Naming::Direct),
        },
    }
}

/// Whether `arn` is a session (`arn:aws:sts::…:assumed-role/Name/session`) of the role.
fn session_of(arn: &Arn, role: &Arn) -> bool {
    let mut parts = arn.resource().split('/');
    arn.service() == "sts"
        && arn.account() == role.account()
        && parts.next() == Some("assumed-role")
        && parts.next() == role.role_name()
}
