//! A stack that stays in progress, so that requests in the name of its custom resources are real.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Kind, Workbench, text};
use crate::answers::Answers;
use crate::{CallError, SetupError, functions};

const PATIENCE: Duration = Duration::from_secs(120);

/// A custom resource of a stack.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The stack, which is in progress.
    pub stack_id: String,
    /// The resource in it.
    pub logical_id: String,
    /// Its type.
    pub kind: Kind,
}

impl Owner {
    /// CloudFormation's request.
    #[must_use]
    pub fn request(
        &self,
        request_type: &str,
        request_id: &str,
        properties: &Value,
        answers: &Answers,
    ) -> Value {
        json!({
            "RequestType": request_type, "RequestId": request_id, "StackId": self.stack_id,
            "LogicalResourceId": self.logical_id, "ResourceType": format!("Custom::{}", self.kind.name()),
            "ResourceProperties": properties, "ResponseURL": answers.url(request_id),
        })
    }
}

impl Workbench {
    /// Custom resources of a stack that stays in progress: requests in their name are real.
    ///
    /// # Errors
    ///
    /// When the stack does not come so far.
    pub fn open_stack(&self, name: &str, resources: &[(String, Kind)]) -> Result<Vec<Owner>, SetupError> {
        let doing = || SetupError::while_doing::<CallError>(format!("opening the stack `{name}`"));
        let tools = &self.world.tools;
        let packaged = self.package_stack(name, resources)?;
        let request = json!({"StackName": name, "TemplateBody": packaged, "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]});
        let created = tools.call("cloudformation", "create_stack", request).map_err(doing())?;
        let stack_id = text(&created, "/StackId");
        let started = Instant::now();
        loop {
            let events = tools.stack_events(&stack_id).map_err(doing())?;
            if events.iter().any(|event| event.logical_id == "Wait") {
                break;
            }
            if started.elapsed() > PATIENCE || events.iter().any(|event| event.status.ends_with("FAILED")) {
                let last = events
                    .iter()
                    .map(|event| format!("{} {} {}", event.logical_id, event.status, event.reason));
                return Err(SetupError::new(format!(
                    "the stack `{name}` does not wait: {}",
                    last.collect::<Vec<_>>().join(", ")
                )));
            }
            thread::sleep(Duration::from_millis(100));
        }
        let owner = |(logical_id, kind): &(String, Kind)| Owner {
            stack_id: stack_id.clone(),
            logical_id: logical_id.clone(),
            kind: *kind,
        };
        Ok(resources.iter().map(owner).collect())
    }

    /// A template whose custom resources are made by the probe function, and which then waits.
    fn package_stack(&self, name: &str, resources: &[(String, Kind)]) -> Result<String, SetupError> {
        let mut custom = String::new();
        for (logical_id, kind) in resources {
            custom += &format!(
                "  {logical_id}:\n    Type: Custom::{}\n    Properties: {{ServiceToken: !GetAtt Probe.Arn}}\n",
                kind.name()
            );
        }
        let names: Vec<&str> = resources.iter().map(|(logical_id, _)| logical_id.as_str()).collect();
        let template = format!(
            "Transform: AWS::Serverless-2016-10-31\nGlobals:\n  Function:\n    Runtime: provided.al2023\nResources:\n  Probe:\n    \
             Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: .\n      Handler: bootstrap\n      Timeout: 20\n{custom}  \
             Handle:\n    Type: AWS::CloudFormation::WaitConditionHandle\n  Wait:\n    Type: AWS::CloudFormation::WaitCondition\n    \
             DependsOn: [{}]\n    Properties: {{Handle: !Ref Handle, Timeout: '43200'}}\n",
            names.join(", ")
        );
        let code = functions::build_probe()?;
        let (tools, path) = (&self.world.tools, code.join(format!("{name}-{}.yaml", self.world.tools.id())));
        fs::write(&path, &template)
            .map_err(SetupError::while_doing(format!("writing `{}`", path.display())))?;
        let code = BTreeMap::from([("Probe".to_owned(), code)]);
        let packaged = tools.package_template(&path, &code, &format!("code-{}", tools.id()));
        packaged.map_err(SetupError::while_doing("uploading the probe function"))
    }
}
