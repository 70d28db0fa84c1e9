use crate::arn;
use crate::pipeline::Action;

/// An action declaration and where it works, for the ARNs of what its configuration names.
#[derive(Debug, Clone)]
pub struct ActionPlace<'a> {
    /// The action declaration.
    pub action: Action<'a>,
    /// The account that it works in, its 12 digits.
    pub account: Option<&'a str>,
    /// The Region that it works in.
    pub region: Option<&'a str>,
    /// The partition of its ARNs, `aws`.
    pub partition: String,
}

impl<'a> ActionPlace<'a> {
    /// A configuration value that is no variable, so that it is what will be used.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.action.configuration(key).filter(|value| !value.contains("#{") && !value.is_empty())
    }

    /// An ARN of the action's account and Region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> Option<String> {
        Some(arn::build(&self.partition, service, self.region?, self.account?, resource))
    }

    /// The ARN of what a configuration value names: `prefix` and the name.
    pub(super) fn named(&self, service: &str, key: &str, prefix: &str) -> Option<Vec<String>> {
        Some(vec![self.arn(service, &format!("{prefix}{}", self.value(key)?))?])
    }

    /// The ARN of a bucket or an object.
    pub fn s3(&self, resource: &str) -> String {
        arn::bucket(&self.partition, resource)
    }

    /// Whether the action has an input artifact.
    pub(super) fn has_input(&self) -> bool {
        self.action.input_artifacts().next().is_some()
    }
}
