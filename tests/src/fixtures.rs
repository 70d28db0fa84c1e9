//! What platform teams have before Crosspipe comes: documents under `fixtures/`, with placeholders for names.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::SetupError;

/// The pipeline of the tools account, as `create-pipeline` takes it.
pub const PIPELINE: &str = include_str!("../fixtures/tools/pipeline.json");
/// The tags of the pipeline.
pub const PIPELINE_TAGS: &str = include_str!("../fixtures/tools/pipeline-tags.json");
/// The policy of the artifact key.
pub const KEY_POLICY: &str = include_str!("../fixtures/tools/key-policy.json");
/// The policy of the artifact bucket.
pub const BUCKET_POLICY: &str = include_str!("../fixtures/tools/bucket-policy.json");
/// The service role of the pipeline.
pub const SERVICE_ROLE: &str = include_str!("../fixtures/tools/service-role.json");
/// The service role of the pipeline's build projects, which knows nothing of the artifact key.
pub const BUILD_ROLE: &str = include_str!("../fixtures/tools/build-role.json");
/// The role that the key policy names.
pub const KEY_ADMINISTRATOR: &str = include_str!("../fixtures/tools/key-administrator.json");
/// The role of the target account's EC2 instances.
pub const INSTANCE_ROLE: &str = include_str!("../fixtures/target/instance-role.json");

/// An account that neither template knows and that key and bucket policy admit.
pub const AUDIT_ACCOUNT: &str = "444455556666";

/// A role with its policies.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// `/`, or `/…/`.
    pub path: String,
    /// The name.
    pub name: String,
    /// The trust policy.
    pub trust: Value,
    /// Inline policies by name.
    pub inline_policies: Map<String, Value>,
    /// Customer managed policies by path and name, as in `/platform/guardrails`.
    pub attached_policies: Map<String, Value>,
}

/// Reads a fixture with each `${Name}` replaced.
///
/// # Errors
///
/// When a placeholder has no value, or what comes out has not the wanted shape.
pub fn fill<T: for<'de> Deserialize<'de>>(
    fixture: &str,
    values: &[(&'static str, &str)],
) -> Result<T, SetupError> {
    let filled = values.iter().fold(fixture.to_owned(), |text, (name, value)| {
        // As JSON would escape it, without its quotes.
        let quoted = Value::from(*value).to_string();
        let escaped = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&quoted);
        text.replace(&format!("${{{name}}}"), escaped)
    });
    if let Some((_, rest)) = filled.split_once("${") {
        let name = rest.split('}').next().unwrap_or_default();
        return Err(SetupError::new(format!("the fixture's placeholder `{name}` has no value")));
    }
    serde_json::from_str(&filled).map_err(SetupError::while_doing("reading a fixture"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_placeholders_are_filled() {
        let filled: Value = fill(r#"{"a": "${Name}/${Name}"}"#, &[("Name", "\"x\"")]).unwrap();
        assert_eq!(filled["a"], "\"x\"/\"x\"");
        let error = fill::<Value>(r#"{"a": "${Other}"}"#, &[("Name", "x")]).unwrap_err();
        assert!(error.to_string().contains("`Other`"), "{error}");
    }
}
