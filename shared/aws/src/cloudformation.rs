//! Stacks, their events, and change sets.
//!
//! CloudFormation speaks XML, so what the AWS CLI would print is built here, member by member. Left out are the
//! properties of resources and the values of parameters and outputs: they may hold secrets.

use aws_sdk_cloudformation::{
    Client,
    types::{CallAs, Stack, StackEvent, StackSetOperationResultSummary},
};
use serde_json::{Map, Value};

use crate::error::AwsError;

const SERVICE: &str = "cloudformation";

/// The stacks of one account and Region.
#[derive(Debug, Clone)]
pub struct CloudFormation {
    client: Client,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    /// `Custom::…`, `AWS::…`
    pub resource_type: String,
    /// Such as `CREATE_IN_PROGRESS`.
    pub status: String,
}

impl CloudFormation {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A stack, by name or id, with its status and role; `None` if there is no such stack.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>.
    pub async fn stack(&self, name: &str) -> Result<Option<Value>, AwsError> {
        let answer = self.client.describe_stacks().stack_name(name).send().await;
        let answer = unless_missing(answer.map_err(AwsError::from_sdk(SERVICE, "DescribeStacks")))?;
        Ok(answer.and_then(|answer| answer.stacks?.into_iter().next()).map(stack_json))
    }

    /// A stack's status, such as `UPDATE_IN_PROGRESS`; `None` if there is no such stack.
    ///
    /// # Errors
    /// As of [`CloudFormation::stack`].
    pub async fn stack_status(&self, name: &str) -> Result<Option<String>, AwsError> {
        let answer = self.client.describe_stacks().stack_name(name).send().await;
        let answer = unless_missing(answer.map_err(AwsError::from_sdk(SERVICE, "DescribeStacks")))?;
        let stack = answer.and_then(|answer| answer.stacks?.into_iter().next());
        Ok(stack.and_then(|stack| stack.stack_status).map(|status| status.as_str().to_owned()))
    }

    /// A resource of a stack; `None` if there is no such stack, or it has no such resource.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResource.html>.
    pub async fn stack_resource(
        &self,
        stack: &str,
        logical_id: &str,
    ) -> Result<Option<StackResource>, AwsError> {
        let request = self.client.describe_stack_resource().stack_name(stack);
        let answer = request.logical_resource_id(logical_id).send().await;
        let answer = unless_missing(answer.map_err(AwsError::from_sdk(SERVICE, "DescribeStackResource")))?;
        let detail = answer.and_then(|answer| answer.stack_resource_detail);
        Ok(detail.map(|detail| StackResource {
            resource_type: detail.resource_type.unwrap_or_default(),
            status: detail.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        }))
    }

    /// The stack's events, the last one first: up to `pages` pages of about 100. `None` if there is no such
    /// stack.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html>.
    pub async fn stack_events(&self, name: &str, pages: usize) -> Result<Option<Vec<Value>>, AwsError> {
        let mut events = Vec::new();
        let mut token = None;
        for _ in 0..pages {
            let request = self.client.describe_stack_events().stack_name(name).set_next_token(token);
            let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "DescribeStackEvents"));
            let Some(answer) = unless_missing(answer)? else { return Ok(None) };
            events.extend(answer.stack_events.unwrap_or_default().into_iter().map(event_json));
            token = answer.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(Some(events))
    }

    /// A change set with its status and the reason for it, without its changes.
    ///
    /// # Errors
    /// `ChangeSetNotFound` if the stack has none of that name.
    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html>.
    pub async fn change_set(&self, stack: &str, name: &str) -> Result<Value, AwsError> {
        let request = self.client.describe_change_set().stack_name(stack).change_set_name(name);
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "DescribeChangeSet"))?;
        Ok(object_of_present([
            ("ChangeSetName", answer.change_set_name),
            ("ChangeSetId", answer.change_set_id),
            ("StackName", answer.stack_name),
            ("StackId", answer.stack_id),
            ("Status", answer.status.map(|status| status.as_str().to_owned())),
            ("StatusReason", answer.status_reason),
            ("ExecutionStatus", answer.execution_status.map(|status| status.as_str().to_owned())),
        ]))
    }

    /// The id of the operation of a stack set that began last; `None` if it has had none. `call_as` is `SELF` or
    /// `DELEGATED_ADMIN`.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperations.html>.
    pub async fn last_stack_set_operation(
        &self,
        set: &str,
        call_as: Option<&str>,
    ) -> Result<Option<String>, AwsError> {
        let request = self.client.list_stack_set_operations().stack_set_name(set);
        let answer = request.set_call_as(call_as.map(CallAs::from)).send().await;
        let answer = answer.map_err(AwsError::from_sdk(SERVICE, "ListStackSetOperations"))?;
        let last = answer.summaries.unwrap_or_default().into_iter().max_by_key(|it| it.creation_timestamp);
        Ok(last.and_then(|operation| operation.operation_id))
    }

    /// What an operation of a stack set came to in each account and Region: up to `pages` pages of 100.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperationResults.html>.
    pub async fn stack_set_operation_results(
        &self,
        set: &str,
        operation: &str,
        call_as: Option<&str>,
        pages: usize,
    ) -> Result<Vec<Value>, AwsError> {
        let mut results = Vec::new();
        let mut token = None;
        for _ in 0..pages {
            let request = self.client.list_stack_set_operation_results().stack_set_name(set);
            let request = request.operation_id(operation).set_call_as(call_as.map(CallAs::from));
            let answer = request.set_next_token(token).send().await;
            let answer = answer.map_err(AwsError::from_sdk(SERVICE, "ListStackSetOperationResults"))?;
            results.extend(answer.summaries.unwrap_or_default().into_iter().map(operation_result_json));
            token = answer.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(results)
    }
}

/// CloudFormation's error code for a stack that does not exist, as the pages above say. A name that a pipeline
/// was given is valid in all else.
fn unless_missing<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Err(error) if error.has_code("ValidationError") => Ok(None),
        answer => answer.map(Some),
    }
}

fn stack_json(stack: Stack) -> Value {
    object_of_present([
        ("StackName", stack.stack_name),
        ("StackId", stack.stack_id),
        ("StackStatus", stack.stack_status.map(|status| status.as_str().to_owned())),
        ("StackStatusReason", stack.stack_status_reason),
        ("RoleARN", stack.role_arn),
    ])
}

fn event_json(event: StackEvent) -> Value {
    object_of_present([
        ("EventId", event.event_id),
        ("StackId", event.stack_id),
        ("StackName", event.stack_name),
        ("LogicalResourceId", event.logical_resource_id),
        ("PhysicalResourceId", event.physical_resource_id),
        ("ResourceType", event.resource_type),
        ("Timestamp", event.timestamp.map(|time| time.to_string())),
        ("ResourceStatus", event.resource_status.map(|status| status.as_str().to_owned())),
        ("ResourceStatusReason", event.resource_status_reason),
        ("ClientRequestToken", event.client_request_token),
    ])
}

fn operation_result_json(result: StackSetOperationResultSummary) -> Value {
    let gate = result.account_gate_result.map(|gate| {
        object_of_present([
            ("Status", gate.status.map(|status| status.as_str().to_owned())),
            ("StatusReason", gate.status_reason),
        ])
    });
    let mut printed = object_of_present([
        ("Account", result.account),
        ("Region", result.region),
        ("Status", result.status.map(|status| status.as_str().to_owned())),
        ("StatusReason", result.status_reason),
    ]);
    if let (Some(printed), Some(gate)) = (printed.as_object_mut(), gate) {
        printed.insert("AccountGateResult".to_owned(), gate);
    }
    printed
}

/// Members that there are. An empty text is how XML says that there is none.
fn object_of_present<const N: usize>(members: [(&str, Option<String>); N]) -> Value {
    let given = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let given = given.filter(|(_, value)| !value.is_empty());
    Value::Object(given.map(|(name, value)| (name.to_owned(), Value::String(value))).collect::<Map<_, _>>())
}
