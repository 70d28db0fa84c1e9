//! One account, seen by one principal, in one Region.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::violations::Watch;
use super::{CallError, LocalAws, Violation};

/// The Region that the server takes for its own.
const REGION: &str = "eu-west-1";

/// An account as its root user or as an assumed role.
///
/// When the last of its copies is dropped, the test fails if AWS would have refused one of the account's requests:
/// [`Self::take_violations`] is for tests that mean it.
#[derive(Clone, Debug)]
pub struct Account<'aws> {
    aws: &'aws LocalAws,
    id: String,
    region: String,
    session: Value,
    watch: Arc<Watch<'aws>>,
}

impl<'aws> Account<'aws> {
    pub(super) fn root(aws: &'aws LocalAws, id: String) -> Self {
        let watch = Arc::new(Watch::new(aws, id.clone()));
        Self { aws, id, region: REGION.to_owned(), session: Value::Null, watch }
    }

    /// The 12-digit id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The server that the account is on.
    #[must_use]
    pub fn aws(&self) -> &'aws LocalAws {
        self.aws
    }

    /// The same principal in another Region.
    #[must_use]
    pub fn in_region(&self, region: impl Into<String>) -> Self {
        Self { region: region.into(), ..self.clone() }
    }

    /// Calls an operation under its boto3 name: `call("kms", "get_key_policy", json!({"KeyId": …}))`.
    ///
    /// # Errors
    ///
    /// The service's error, or boto3's if it refuses the parameters.
    pub fn call(&self, service: &str, operation: &str, params: Value) -> Result<Value, CallError> {
        self.aws.bridge().call(json!({
            "account": self.id, "region": self.region, "session": self.session,
            "service": service, "operation": operation, "params": params,
        }))
    }

    /// Sends a JSON 1.1 request as it is, with members that no SDK knows: `target` as in `CodePipeline_20150709.GetPipeline`.
    ///
    /// # Errors
    ///
    /// The service's error.
    pub fn call_raw(&self, service: &str, target: &str, body: Value) -> Result<Value, CallError> {
        self.call(service, "raw", json!({"target": target, "body": body}))
    }

    /// Takes the requests of this account that AWS would have refused by its service models, and the answers that it
    /// would not have given; they no longer fail the test.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub fn take_violations(&self) -> Result<Vec<Violation>, CallError> {
        self.watch.take()
    }

    /// From now on AWS is taken to know these members of a service in this account, though its published models
    /// don't: as they will not know what comes after them.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub fn add_new_members(&self, service: &str, members: &[&str]) -> Result<(), CallError> {
        let request = json!({"account": self.id, "service": service, "members": members});
        self.aws.control("new-members", &request).map(drop)
    }

    /// This principal's session of a role, in the role's account.
    ///
    /// # Errors
    ///
    /// When the role or the caller's policies don't allow it.
    pub fn assume(&self, role_arn: &str) -> Result<Self, CallError> {
        let answer =
            self.call("sts", "assume_role", json!({"RoleArn": role_arn, "RoleSessionName": "local-aws"}))?;
        let member =
            |name: &str| answer.pointer(&format!("/Credentials/{name}")).cloned().unwrap_or_default();
        let session = json!({
            "accessKeyId": member("AccessKeyId"),
            "secretAccessKey": member("SecretAccessKey"),
            "sessionToken": member("SessionToken"),
        });
        let id = role_arn.split(':').nth(4).unwrap_or_default().to_owned();
        let watch =
            if id == self.id { Arc::clone(&self.watch) } else { Arc::new(Watch::new(self.aws, id.clone())) };
        Ok(Self { id, session, watch, ..self.clone() })
    }

    /// Uploads the functions' code (logical id to a folder that holds `bootstrap`) and answers the template's text
    /// with each `CodeUri` pointing to it; nothing else in it changes.
    ///
    /// # Errors
    ///
    /// When a file can't be read, the template has no such function, or the upload is refused.
    pub fn package_template(
        &self,
        template: &Path,
        code: &BTreeMap<String, PathBuf>,
        bucket: &str,
    ) -> Result<String, CallError> {
        let params = json!({"template": template, "code": code, "bucket": bucket});
        let text = self.call("s3", "package_template", params)?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }
}
