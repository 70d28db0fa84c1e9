//! Does a resource policy's statement speak of the one who asks?
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.

use serde_json::Value;

use super::Ternary;
use super::requester::Requester;
use crate::arn::{Arn, is_account_id};
use crate::policy::Statement;

/// How a statement names the requester. The stronger, the fewer other policies have a say within one
/// account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalMatch {
    /// By account: the account's own identity policies have to allow the request as well.
    Account,
    /// By the role of a session, or the user of a federated one: what bounds the session bounds this too.
    Through,
    /// As everyone.
    Everyone,
    /// By the ARN of whoever asks, or as a service.
    Direct,
}

/// Whether the statement speaks of the requester, and how. A statement without a principal element (an
/// identity policy's) speaks of whoever it is attached to.
pub fn match_principal(
    statement: Statement<'_>,
    requester: &Requester,
    bounded: bool,
) -> (Ternary, PrincipalMatch) {
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(element), _) => match_named(element, requester),
        (None, Some(element)) => (match_unless_listed(element, requester, bounded), PrincipalMatch::Everyone),
        (None, None) => (Ternary::Yes, PrincipalMatch::Direct),
    }
}

fn match_named(element: &Value, requester: &Requester) -> (Ternary, PrincipalMatch) {
    let mut best = (Ternary::No, PrincipalMatch::Account);
    for_each_principal(element, |kind, value| {
        let (answer, naming) = match_kind(kind, value, requester);
        best = match (best.0, answer) {
            (Ternary::Yes, Ternary::Yes) => (Ternary::Yes, best.1.max(naming)),
            (Ternary::Yes, _) | (_, Ternary::No) => best,
            _ => (answer, naming),
        };
    });
    best
}

/// Whether a statement with `NotPrincipal` applies to the requester. AWS: to spare a user, a Deny lists
/// the user and its account; to spare a session, the session, the role and the account; and whoever has a
/// permissions boundary is never spared. Of a list that names some of these, it says that it "might"
/// apply.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>.
fn match_unless_listed(element: &Value, requester: &Requester, bounded: bool) -> Ternary {
    if bounded && requester.account().is_some() {
        return Ternary::Yes;
    }
    let (mut account, mut through, mut direct, mut unsettled) = (false, false, false, false);
    for_each_principal(element, |kind, value| match match_kind(kind, value, requester) {
        (Ternary::Yes, PrincipalMatch::Account) => account = true,
        (Ternary::Yes, PrincipalMatch::Through) => through = true,
        (Ternary::Yes, PrincipalMatch::Everyone | PrincipalMatch::Direct) => direct = true,
        (Ternary::Unknown, _) => unsettled = true,
        (Ternary::No, _) => {}
    });
    let all = match requester {
        Requester::Session(_) | Requester::FederatedUser(_) => account && through && direct,
        Requester::User(_) => account && direct,
        // Some session, and which one is not known.
        Requester::Role(_) => false,
        Requester::Root(_) | Requester::Federated(_) | Requester::Service(_) | Requester::Anonymous => direct,
    };
    match (all, account || through || direct || unsettled) {
        (true, _) => Ternary::No,
        (false, true) => Ternary::Unknown,
        (false, false) => Ternary::Yes,
    }
}

fn for_each_principal<'v>(element: &'v Value, mut visit: impl FnMut(&'v str, &'v str)) {
    match element {
        Value::String(text) => visit("AWS", text),
        Value::Object(kinds) => {
            for (kind, values) in kinds {
                match values {
                    Value::Array(values) => {
                        values.iter().filter_map(Value::as_str).for_each(|value| visit(kind, value));
                    }
                    single => single.as_str().into_iter().for_each(|value| visit(kind, value)),
                }
            }
        }
        _ => {}
    }
}

fn match_kind(kind: &str, value: &str, requester: &Requester) -> (Ternary, PrincipalMatch) {
    let direct = |holds: bool| (Ternary::from(holds), PrincipalMatch::Direct);
    match (kind, requester) {
        ("AWS", _) => match_aws_principal(value, requester),
        ("Service", Requester::Service(asking)) => direct(value == asking),
        ("Federated", Requester::Federated(provider)) => direct(value == provider),
        ("Service" | "Federated", _) => direct(false),
        // A canonical user id is an account's, and whose it is can't be told from it.
        ("CanonicalUser", _) if requester.account().is_none() => direct(false),
        _ => (Ternary::Unknown, PrincipalMatch::Account),
    }
}

/// Whether an `AWS` principal names the requester. A unique id (`AROA…`) stands in for a deleted role or
/// user, and names no living one, whatever it is called.
pub fn match_aws_principal(value: &str, requester: &Requester) -> (Ternary, PrincipalMatch) {
    if value == "*" {
        return (Ternary::Yes, PrincipalMatch::Everyone);
    }
    let Some(asking) = requester.arn() else { return (Ternary::No, PrincipalMatch::Direct) };
    if let Some((partition, account)) = account_named(value) {
        let same = account == asking.account() && partition.is_none_or(|is| is == asking.partition());
        // The root user is the account.
        let is_root = matches!(requester, Requester::Root(_));
        return (same.into(), if is_root { PrincipalMatch::Direct } else { PrincipalMatch::Account });
    }
    match requester {
        Requester::Role(role) if value == role.as_str() => (Ternary::Yes, PrincipalMatch::Through),
        // Some session of the role asks; whether it is this one is not known.
        Requester::Role(role) => {
            let one_of_its = Arn::parse(value).is_ok_and(|session| is_session_of(&session, role));
            (if one_of_its { Ternary::Unknown } else { Ternary::No }, PrincipalMatch::Direct)
        }
        Requester::Session(session) if value != session.as_str() => {
            let its_role = Arn::parse(value).is_ok_and(|role| is_session_of(session, &role));
            (its_role.into(), PrincipalMatch::Through)
        }
        Requester::FederatedUser(session) if value != session.as_str() => {
            let its_user = Arn::parse(value).is_ok_and(|user| is_session_of_user(session, &user));
            (its_user.into(), PrincipalMatch::Through)
        }
        _ => ((value == asking.as_str()).into(), PrincipalMatch::Direct),
    }
}

/// The account that an `AWS` principal names as a whole, and the partition where it says one.
fn account_named(value: &str) -> Option<(Option<&str>, &str)> {
    if is_account_id(value) {
        return Some((None, value));
    }
    let (partition, rest) = value.strip_prefix("arn:")?.split_once(':')?;
    let account = rest.strip_prefix("iam::")?.strip_suffix(":root")?;
    is_account_id(account).then_some((Some(partition), account))
}

/// Whether a session's ARN (`…:assumed-role/Name/session`) is one of a role. It does not show the role's
/// path; a name is one role's only, whatever the path.
fn is_session_of(session: &Arn, role: &Arn) -> bool {
    let mut parts = session.resource().split('/');
    session.service() == "sts"
        && session.partition() == role.partition()
        && session.account() == role.account()
        && parts.next() == Some("assumed-role")
        && parts.next().is_some_and(|name| Some(name) == role.role_name())
}

fn is_session_of_user(session: &Arn, user: &Arn) -> bool {
    let name = session.resource().strip_prefix("federated-user/");
    user.service() == "iam"
        && session.partition() == user.partition()
        && session.account() == user.account()
        && user.resource().starts_with("user/")
        && user.resource().rsplit('/').next() == name
}
