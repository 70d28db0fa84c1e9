//! CloudFormation stacks: deployed and waited for.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Account, CallError};

const PATIENCE: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(40);

/// A stack's outputs by key.
type Outputs = BTreeMap<String, String>;

/// Why a stack is not as wanted.
#[derive(Debug)]
pub enum StackError {
    /// CloudFormation refused the request.
    Call(CallError),
    /// The operation went wrong and, unless that was switched off, was rolled back.
    Failed(StackFailure),
}

/// An operation that ended in another state than wanted.
#[derive(Debug)]
pub struct StackFailure {
    /// The stack's name.
    pub stack: String,
    /// The state that the stack ended in; `*_IN_PROGRESS` if waiting was given up after five minutes.
    pub status: String,
    /// The stack's events, oldest first.
    pub events: Vec<StackEvent>,
}

/// One event of a stack.
#[derive(Clone, Debug)]
pub struct StackEvent {
    /// The resource's logical id; the stack's name for the stack itself.
    pub logical_id: String,
    /// The resource's physical id, empty while it has none.
    pub physical_id: String,
    /// The resource's type.
    pub resource_type: String,
    /// The state, as in `CREATE_FAILED`.
    pub status: String,
    /// Why: for a custom resource, the `Reason` of its answer.
    pub reason: String,
}

impl StackFailure {
    /// The reason of the first failure of the resource.
    #[must_use]
    pub fn reason(&self, logical_id: &str) -> Option<&str> {
        let mut failures = self.events.iter().filter(|event| event.status.ends_with("_FAILED"));
        failures.find(|event| event.logical_id == logical_id).map(|event| event.reason.as_str())
    }
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for StackFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stack `{}` is {}", self.stack, self.status)?;
        for event in self.events.iter().filter(|event| event.status.ends_with("_FAILED")) {
            write!(f, "\n  {} {}: {}", event.logical_id, event.status, event.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for StackError {}

impl From<CallError> for StackError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Account<'_> {
    /// Creates a stack and waits for `CREATE_COMPLETE`.
    ///
    /// # Errors
    ///
    /// [`StackError`]: refused, or ended in another state.
    pub fn deploy_stack(
        &self,
        name: &str,
        template: &str,
        parameters: &[(&str, &str)],
        capabilities: &[&str],
    ) -> Result<Outputs, StackError> {
        let request = stack_request(name, template, parameters, capabilities);
        let id = stack_id(&self.call("cloudformation", "create_stack", request)?);
        self.wait_for_stack(name, &id, "CREATE_COMPLETE")
    }

    /// Updates a stack and waits for `UPDATE_COMPLETE`.
    ///
    /// # Errors
    ///
    /// [`StackError`]: refused (also when nothing changes), or ended in another state.
    pub fn update_stack(
        &self,
        name: &str,
        template: &str,
        parameters: &[(&str, &str)],
        capabilities: &[&str],
    ) -> Result<Outputs, StackError> {
        let request = stack_request(name, template, parameters, capabilities);
        let id = stack_id(&self.call("cloudformation", "update_stack", request)?);
        self.wait_for_stack(name, &id, "UPDATE_COMPLETE")
    }

    /// Deletes a stack and waits for `DELETE_COMPLETE`.
    ///
    /// # Errors
    ///
    /// [`StackError`]: no such stack, refused, or ended in another state.
    pub fn delete_stack(&self, name: &str) -> Result<(), StackError> {
        let id = stack_id(&self.describe_stack(name)?);
        self.call("cloudformation", "delete_stack", json!({"StackName": name}))?;
        self.wait_for_stack(name, &id, "DELETE_COMPLETE").map(drop)
    }

    /// The stack's events, oldest first. A deleted stack is found by its id.
    ///
    /// # Errors
    ///
    /// When there is no such stack.
    pub fn stack_events(&self, name_or_id: &str) -> Result<Vec<StackEvent>, CallError> {
        let (mut events, mut token) = (Vec::new(), Value::Null);
        loop {
            let mut request = json!({"StackName": name_or_id});
            if let (Value::Object(members), true) = (&mut request, token.is_string()) {
                members.insert("NextToken".to_owned(), token);
            }
            let page = self.call("cloudformation", "describe_stack_events", request)?;
            events.extend(list(&page, "StackEvents").iter().map(event));
            token = page.get("NextToken").cloned().unwrap_or_default();
            if token.is_null() {
                break;
            }
        }
        events.reverse();
        Ok(events)
    }

    fn wait_for_stack(&self, name: &str, id: &str, wanted: &str) -> Result<Outputs, StackError> {
        let start = Instant::now();
        loop {
            let stack = self.describe_stack(id)?;
            let status = text(&stack, "StackStatus");
            let moving = status.ends_with("_IN_PROGRESS") && start.elapsed() < PATIENCE;
            if status == wanted {
                let pair = |output: &Value| (text(output, "OutputKey"), text(output, "OutputValue"));
                return Ok(list(&stack, "Outputs").iter().map(pair).collect());
            }
            if !moving {
                let events = self.stack_events(id)?;
                return Err(StackError::Failed(StackFailure { stack: name.to_owned(), status, events }));
            }
            thread::sleep(POLL);
        }
    }

    fn describe_stack(&self, name_or_id: &str) -> Result<Value, CallError> {
        let answer = self.call("cloudformation", "describe_stacks", json!({"StackName": name_or_id}))?;
        Ok(answer.pointer("/Stacks/0").cloned().unwrap_or_default())
    }
}

fn stack_request(name: &str, template: &str, parameters: &[(&str, &str)], capabilities: &[&str]) -> Value {
    let parameter = |(key, value): &(&str, &str)| json!({"ParameterKey": key, "ParameterValue": value});
    json!({
        "StackName": name,
        "TemplateBody": template,
        "Parameters": parameters.iter().map(parameter).collect::<Vec<_>>(),
        "Capabilities": capabilities,
    })
}

fn event(value: &Value) -> StackEvent {
    StackEvent {
        logical_id: text(value, "LogicalResourceId"),
        physical_id: text(value, "PhysicalResourceId"),
        resource_type: text(value, "ResourceType"),
        status: text(value, "ResourceStatus"),
        reason: text(value, "ResourceStatusReason"),
    }
}

fn stack_id(answer: &Value) -> String {
    text(answer, "StackId")
}

fn list<'value>(value: &'value Value, member: &str) -> &'value [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or("").to_owned()
}
