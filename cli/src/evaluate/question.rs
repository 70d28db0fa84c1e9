//! One line of `evaluate` as a request and the policies that have a say.
//!
//! What a line can say is in [`MEMBERS`] and [`read`]; how the core takes it is in [`Question::request`],
//! [`Question::policies`] and [`requester`].

use crosspipe_core::arn::is_account_id;
use crosspipe_core::evaluation::{
    Context, Policies, PolicySet, Request, Requester, RequesterError, ResourcePolicy,
};
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
    let requester = requester(&line.text("principal")?)
        .map_err(|error| document.wrong_at("principal", error.to_string()))?;
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
        context: line.context()?,
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
    PolicySet::Known(policies.iter().map(|(name, document)| (name.as_str().into(), document)).collect())
}

/// Who asks: what the core reads, and a bare account, which stands for its root.
fn requester(principal: &str) -> Result<Requester, RequesterError> {
    if is_account_id(principal) {
        return Requester::parse(&format!("arn:aws:iam::{principal}:root"));
    }
    Requester::parse(principal)
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

    fn context(&self) -> Result<Context, InputError> {
        let mut context = Context::complete();
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
    use crosspipe_core::evaluation::evaluate;
    use serde_json::json;

    use super::*;

    fn seeds() -> Vec<Vec<u8>> {
        let policy =
            json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]});
        let question = |principal: &str| {
            json!({
                "principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
                "resourceAccount": "111111111111", "context": {"aws:SecureTransport": true, "aws:TagKeys": ["a", 1]},
                "identityPolicies": [policy, policy.to_string()], "resourcePolicy": policy,
                "permissionsBoundary": policy, "serviceControlPolicies": [[policy], [policy]],
            })
        };
        let principals = ["arn:aws:iam::222222222222:role/r", "222222222222", "ec2.amazonaws.com", "*"];
        principals.iter().map(|principal| question(principal).to_string().into_bytes()).collect()
    }

    /// Any bytes are either a question that has an answer, or refused at a place within them.
    fn target(input: &[u8]) {
        let read =
            Document::parse("x".into(), input.to_vec(), "a question").and_then(|document| read(&document));
        match read {
            Ok(question) => drop(evaluate(&question.request(), &question.policies()).because()),
            Err(problem) => {
                let lines = input.split(|byte| *byte == b'\n').count();
                let problem = problem.to_string();
                let line = problem.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
                assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{problem}");
            }
        }
    }

    #[test]
    fn any_bytes_are_answered_or_refused_at_a_place() {
        crosspipe_fuzz::smoke("question", &seeds(), target).unwrap();
    }

    /// A value is found at any path, and its line can be shown.
    fn show(input: &[u8]) {
        let Ok(document) = Document::parse("x".into(), input.to_vec(), "JSON") else { return };
        for path in [
            "",
            "context[\"aws:TagKeys\"][1]",
            "identityPolicies[0].Statement[0].Effect",
            "/resourcePolicy",
            "no.such",
        ] {
            let place = document.place(path);
            let shown = crate::excerpt::excerpt(&document.line(place.line), place).render(false);
            assert_eq!(shown.lines().count(), 3, "{shown}");
        }
    }

    #[test]
    fn any_json_is_shown() {
        crosspipe_fuzz::smoke("excerpt", &seeds(), show).unwrap();
    }
}
