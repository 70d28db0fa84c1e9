//! Reading a question. Every error names the member at fault.

use serde_json::{Map, Value};

use super::{Named, Question};
use crate::arn;
use crate::arn::is_account_id;
use crate::evaluation::{Context, KeyGrant, Requester, RequesterError};
use crate::field_error::FieldError;
use crate::policy::PolicyDocument;

/// Every member that a question can have: a misspelt one would change the answer unseen.
const MEMBERS: [&str; 12] = [
    "principal",
    "action",
    "resource",
    "resourceAccount",
    "context",
    "identityPolicies",
    "resourcePolicy",
    "permissionsBoundary",
    "sessionPolicies",
    "serviceControlPolicies",
    "resourceControlPolicies",
    "keyGrants",
];

const HELP: &str = "`crosspipe evaluate --help` shows what each member holds";

impl TryFrom<Value> for Question {
    type Error = FieldError;

    fn try_from(value: Value) -> Result<Self, FieldError> {
        let Value::Object(members) = value else {
            return Err(FieldError::new("", "is not a JSON object", HELP));
        };
        if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            let help = format!("remove it; there are {}", MEMBERS.join(", "));
            return Err(FieldError::new(member_path("", unknown), "is unknown", help));
        }
        let mut members = Members(members);
        let principal = members.text("principal")?;
        let no_requester =
            |_| FieldError::of_value("principal", &principal, "is no requester", RequesterError::HELP);
        let requester = read_requester(&principal).map_err(no_requester)?;
        let action = members.text("action")?;
        if !action.contains(':') {
            let (problem, help) = ("is not an action", "give one such as `s3:GetObject`");
            return Err(FieldError::of_value("action", action, problem, help));
        }
        Ok(Question {
            requester,
            action,
            resource: members.text("resource")?,
            resource_account: members.account("resourceAccount")?,
            context: members.context()?,
            identity: members.policies("identityPolicies")?,
            resource_policy: members.policy("resourcePolicy")?,
            permissions_boundary: members.policy("permissionsBoundary")?,
            session: members.policies("sessionPolicies")?,
            service_control_policies: members.levels("serviceControlPolicies")?,
            resource_control_policies: members.levels("resourceControlPolicies")?,
            key_grants: members.grants("keyGrants")?,
        })
    }
}

/// Who asks: what [`Requester::parse`] takes, and a bare account, which stands for its root.
fn read_requester(principal: &str) -> Result<Requester, RequesterError> {
    if is_account_id(principal) {
        return Requester::parse(&arn::account_root("aws", principal));
    }
    Requester::parse(principal)
}

/// The members of a question; null is the same as left out.
struct Members(Map<String, Value>);

impl Members {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.get_mut(name).map(Value::take).filter(|value| !value.is_null())
    }

    fn list(&mut self, name: &str) -> Result<Vec<(String, Value)>, FieldError> {
        self.take(name).map_or(Ok(vec![]), |value| read_list(name, value))
    }

    fn text(&self, name: &str) -> Result<String, FieldError> {
        match self.get(name).map(Value::as_str) {
            None => Err(FieldError::new(name, "is missing", HELP)),
            Some(None | Some("")) => Err(FieldError::new(name, "is not a text", HELP)),
            Some(Some(text)) => Ok(text.to_owned()),
        }
    }

    fn account(&self, name: &str) -> Result<Option<String>, FieldError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_str().filter(|text| is_account_id(text)) {
            Some(account) => Ok(Some(account.to_owned())),
            None => Err(FieldError::new(name, "is not a text of 12 digits", "give an account id")),
        }
    }

    fn context(&self) -> Result<Context, FieldError> {
        const VALUES: &str = "give a text, a number, a boolean or a list of these";
        let mut context = Context::complete();
        let Some(value) = self.get("context") else { return Ok(context) };
        let keys = value.as_object().ok_or_else(|| FieldError::new("context", "is not an object", HELP))?;
        for (key, value) in keys.iter().filter(|(_, value)| !value.is_null()) {
            let values: Option<Vec<String>> = match value {
                Value::Array(values) => values.iter().map(scalar_text).collect(),
                value => scalar_text(value).map(|value| vec![value]),
            };
            let values = values.ok_or_else(|| {
                FieldError::new(member_path("context", key), "is not the value of a condition key", VALUES)
            })?;
            context = context.with_values(key, values);
        }
        Ok(context)
    }

    fn policy(&mut self, name: &str) -> Result<Option<PolicyDocument>, FieldError> {
        self.take(name).map(|value| read_document(name, value)).transpose()
    }

    fn policies(&mut self, name: &str) -> Result<Named, FieldError> {
        self.list(name)?.into_iter().map(read_named_document).collect()
    }

    fn levels(&mut self, name: &str) -> Result<Vec<Named>, FieldError> {
        let levels = self.list(name)?.into_iter();
        levels
            .map(|(path, level)| read_list(&path, level)?.into_iter().map(read_named_document).collect())
            .collect()
    }

    fn grants(&mut self, name: &str) -> Result<Vec<KeyGrant>, FieldError> {
        self.list(name)?.into_iter().map(|(path, value)| read_grant(&path, &value)).collect()
    }
}

/// A grant as `aws kms list-grants` prints it; what else it says is left aside.
fn read_grant(path: &str, value: &Value) -> Result<KeyGrant, FieldError> {
    let wrong = || FieldError::new(path, "is not a grant with `GranteePrincipal` and `Operations`", HELP);
    let grantee = value.get("GranteePrincipal").and_then(Value::as_str).ok_or_else(wrong)?;
    let operations = value.get("Operations").and_then(Value::as_array).ok_or_else(wrong)?;
    let operations = operations.iter().map(|it| it.as_str().map(str::to_owned)).collect::<Option<_>>();
    Ok(KeyGrant { grantee_principal: grantee.to_owned(), operations: operations.ok_or_else(wrong)? })
}

fn read_named_document((path, value): (String, Value)) -> Result<(String, PolicyDocument), FieldError> {
    let document = read_document(&path, value)?;
    Ok((path, document))
}

/// A policy, or its text, which is how the AWS CLI prints some.
fn read_document(path: &str, value: Value) -> Result<PolicyDocument, FieldError> {
    let document = match value {
        Value::String(text) => PolicyDocument::parse(&text),
        value => PolicyDocument::from_value(value),
    };
    document.map_err(|error| FieldError::new(path, format!("can't be read: {error}"), HELP))
}

/// The values of a list, each with its path.
fn read_list(path: &str, value: Value) -> Result<Vec<(String, Value)>, FieldError> {
    let Value::Array(values) = value else {
        return Err(FieldError::new(path, "is not a list", HELP));
    };
    Ok(values.into_iter().enumerate().map(|(index, value)| (format!("{path}[{index}]"), value)).collect())
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The path of a member, whatever its name.
fn member_path(of: &str, member: &str) -> String {
    let is_plain = member.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if of.is_empty() && is_plain { member.to_owned() } else { format!("{of}[\"{member}\"]") }
}
