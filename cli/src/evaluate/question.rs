//! One line of `evaluate` as a request and the policies that have a say.
//!
//! What a line can say is in [`MEMBERS`] and [`read`]; how the core takes it is in [`Question::request`],
//! [`Question::policies`] and [`requester`].

use crosspipe_core::arn::{Arn, is_account_id};
use crosspipe_core::evaluation::{Context, Policies, PolicySet, Request, Requester, ResourcePolicy};
use crosspipe_core::policy::PolicyDocument;
use serde_json::{Map, Value};

use crate::input::{Document, InputError};

/// Every member that a line can have: a misspelt one would change the answer unseen.
const MEMBERS: [&str; 9] = [
    "principal",
    "action",
    "resource",
    "resourceAccount",
    "context",
    "identityPolicies",
    "resourcePolicy",
    "permissionsBoundary",
    "serviceControlPolicies",
];

/// A request and the policies that have a say.
#[derive(Debug)]
pub struct Question {
    requester: Requester,
    action: String,
    resource: String,
    resource_account: Option<String>,
    context: Context,
    identity: Vec<(String, PolicyDocument)>,
    resource_policy: Option<PolicyDocument>,
    boundary: Option<PolicyDocument>,
    levels: Vec<Vec<(String, PolicyDocument)>>,
}

/// Reads a line.
pub fn read(document: &Document) -> Result<Question, InputError> {
    let line = Line(document);
    let members = line.members()?;
    if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let problem = format!("there is no member `{unknown}`; there are {}", MEMBERS.join(", "));
        return Err(document.wrong_at(&path("", unknown), problem));
    }
    let principal = line.text("principal")?;
    let (requester, context) =
        requester(&principal).ok_or_else(|| document.wrong_at("principal", not_a_principal(&principal)))?;
    let action = line.text("action")?;
    if !action.contains(':') {
        return Err(
            document.wrong_at("action", format!("`{action}` is not an action such as `s3:GetObject`"))
        );
    }
    Ok(Question {
        requester,
        action,
        resource: line.text("resource")?,
        resource_account: line.account("resourceAccount")?,
        context: line.context(context)?,
        identity: line.policies("identityPolicies")?,
        resource_policy: line.policy("resourcePolicy")?,
        boundary: line.policy("permissionsBoundary")?,
        levels: line.levels("serviceControlPolicies")?,
    })
}

impl Question {
    /// The request.
    pub fn request(&self) -> Request<'_> {
        Request {
            requester: self.requester.clone(),
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            context: self.context.clone(),
        }
    }

    /// The policies that have a say.
    pub fn policies(&self) -> Policies<'_> {
        Policies {
            identity: set(&self.identity),
            resource: self.resource_policy.as_ref().map_or(ResourcePolicy::Absent, ResourcePolicy::Known),
            permissions_boundary: self
                .boundary
                .as_ref()
                .map(|document| PolicySet::Known(vec![("permissionsBoundary".into(), document)])),
            service_control_policies: self.levels.iter().map(|level| set(level)).collect(),
            key_grants: vec![],
        }
    }
}

fn set(policies: &[(String, PolicyDocument)]) -> PolicySet<'_> {
    PolicySet::Known(policies.iter().map(|(name, document)| (name.clone(), document)).collect())
}

/// Who asks, and what follows from it for the context.
fn requester(principal: &str) -> Option<(Requester, Context)> {
    let context = Context::complete();
    if principal == "*" {
        // Nobody that is known: no account, no policies, and only statements for everyone speak of it.
        let context = context.with("aws:PrincipalIsAWSService", "false");
        return Some((Requester::Service(String::new()), context));
    }
    if is_account_id(principal) {
        return Some((Requester::User(Arn::parse(&format!("arn:aws:iam::{principal}:root")).ok()?), context));
    }
    if let Ok(arn) = Arn::parse(principal) {
        if !is_account_id(arn.account()) {
            return None;
        }
        let (kind, name) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
        let requester = match (arn.service(), kind) {
            ("iam", "role") => Requester::Role(arn),
            ("iam", "user" | "root") | ("sts", "federated-user") => Requester::User(arn),
            // A session does not tell the path of its role.
            ("sts", "assumed-role") => {
                let name = name.split('/').next().filter(|name| !name.is_empty())?;
                let role = format!("arn:{}:iam::{}:role/{name}", arn.partition(), arn.account());
                Requester::Role(Arn::parse(&role).ok()?)
            }
            _ => return None,
        };
        return Some((requester, context));
    }
    let service = principal.strip_suffix(".cn").unwrap_or(principal);
    let is_service = service.strip_suffix(".amazonaws.com").is_some_and(|name| !name.is_empty());
    is_service.then(|| (Requester::Service(principal.to_owned()), context))
}

fn not_a_principal(principal: &str) -> String {
    format!(
        "`{principal}` is none of: the ARN of a role, a role session, a user or an account's root; a 12-digit account; a service such as `codepipeline.amazonaws.com`; `*`"
    )
}

/// A line that is being read. Every error names the member at fault.
struct Line<'a>(&'a Document);

impl<'a> Line<'a> {
    fn members(&self) -> Result<&'a Map<String, Value>, InputError> {
        self.0.value().as_object().ok_or_else(|| self.0.wrong_at("", "it is not a JSON object"))
    }

    /// A member that is there and not null.
    fn member(&self, name: &str) -> Option<&'a Value> {
        self.0.value().get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<String, InputError> {
        match self.member(name).map(Value::as_str) {
            None => Err(self.0.wrong_at("", format!("`{name}` is missing"))),
            Some(None | Some("")) => Err(self.0.wrong_at(name, format!("`{name}` is not a text"))),
            Some(Some(text)) => Ok(text.to_owned()),
        }
    }

    fn account(&self, name: &str) -> Result<Option<String>, InputError> {
        let Some(value) = self.member(name) else { return Ok(None) };
        match value.as_str().filter(|text| is_account_id(text)) {
            Some(account) => Ok(Some(account.to_owned())),
            None => Err(self.0.wrong_at(name, format!("`{name}` is not a text of 12 digits"))),
        }
    }

    fn context(&self, mut context: Context) -> Result<Context, InputError> {
        let Some(value) = self.member("context") else { return Ok(context) };
        let keys =
            value.as_object().ok_or_else(|| self.0.wrong_at("context", "`context` is not an object"))?;
        for (key, value) in keys.iter().filter(|(_, value)| !value.is_null()) {
            let values = match value {
                Value::Array(values) => values.iter().map(scalar).collect(),
                value => scalar(value).map(|value| vec![value]),
            };
            let wrong = "a condition key has a text, a number, a boolean or a list of these";
            context = context
                .with_values(key, values.ok_or_else(|| self.0.wrong_at(&path("context", key), wrong))?);
        }
        Ok(context)
    }

    fn policy(&self, name: &str) -> Result<Option<PolicyDocument>, InputError> {
        self.member(name).map(|value| self.document(name, value)).transpose()
    }

    fn policies(&self, name: &str) -> Result<Vec<(String, PolicyDocument)>, InputError> {
        self.member(name).map_or_else(|| Ok(vec![]), |value| self.list(name, value))
    }

    fn levels(&self, name: &str) -> Result<Vec<Vec<(String, PolicyDocument)>>, InputError> {
        let Some(value) = self.member(name) else { return Ok(vec![]) };
        let levels =
            value.as_array().ok_or_else(|| self.0.wrong_at(name, format!("`{name}` is not a list")))?;
        let read = |(index, level)| self.list(&format!("{name}[{index}]"), level);
        levels.iter().enumerate().map(read).collect()
    }

    fn list(&self, path: &str, value: &Value) -> Result<Vec<(String, PolicyDocument)>, InputError> {
        let list = value
            .as_array()
            .ok_or_else(|| self.0.wrong_at(path, format!("`{path}` is not a list of policies")))?;
        let read = |(index, value)| {
            let path = format!("{path}[{index}]");
            self.document(&path, value).map(|document| (path, document))
        };
        list.iter().enumerate().map(read).collect()
    }

    /// A policy, or its text, which is how the AWS CLI prints some.
    fn document(&self, path: &str, value: &Value) -> Result<PolicyDocument, InputError> {
        let document = match value {
            Value::String(text) => PolicyDocument::parse(text),
            value => PolicyDocument::from_value(value.clone()),
        };
        document.map_err(|error| self.0.wrong_at(path, format!("`{path}`: {error}")))
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The path of a member, whatever its name.
fn path(of: &str, member: &str) -> String {
    format!("{of}[\"{member}\"]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requester_is_told_by_its_form() {
        let role = "arn:aws:iam::111111111111:role/path/Name";
        let is = |principal: &str| requester(principal).map(|(requester, _)| requester);
        let arn = |text: &str| Arn::parse(text).unwrap();
        assert_eq!(is(role), Some(Requester::Role(arn(role))));
        assert_eq!(
            is("arn:aws-cn:sts::111111111111:assumed-role/Name/session"),
            Some(Requester::Role(arn("arn:aws-cn:iam::111111111111:role/Name")))
        );
        let user = "arn:aws:iam::111111111111:user/Name";
        assert_eq!(is(user), Some(Requester::User(arn(user))));
        assert_eq!(is("111111111111"), Some(Requester::User(arn("arn:aws:iam::111111111111:root"))));
        let service = "codepipeline.amazonaws.com";
        assert_eq!(is(service), Some(Requester::Service(service.into())));
        for other in [
            "",
            "x",
            "arn:aws:s3:::bucket",
            "arn:aws:iam::1:role/x",
            ".amazonaws.com",
            "arn:aws:sts::111111111111:assumed-role/",
        ] {
            assert_eq!(is(other), None, "{other}");
        }
    }
}
