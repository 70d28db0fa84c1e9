//! The form of a case.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::names::resolve;

/// A failure and its true cause.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// The file's name.
    #[serde(skip)]
    pub name: String,
    /// What is wrong, in a sentence.
    pub about: String,
    /// Where the error text was seen.
    pub seen: String,
    /// The provider of the action that failed, and with it the healthy world.
    pub provider: String,
    /// The action that failed, `Stage/Action`, where it is not the provider's.
    pub fails: Option<String>,
    /// What the world lacks: statements, and parts that could not be read. See [`crate::world`] for paths.
    #[serde(default)]
    pub remove: Vec<String>,
    /// What is otherwise in it; null is what was looked for and is not there.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
    /// `errorDetails` of `ListActionExecutions`.
    pub error: Option<ErrorDetails>,
    /// `externalExecutionId` and its like.
    #[serde(default)]
    pub external: External,
    /// The rule that names the true cause; `none` where no rule does.
    pub cause: String,
    /// How sure the diagnosis should be, where that is clear.
    pub confidence: Option<String>,
    /// Other rules that rightly find fault with this world, though not with what failed.
    #[serde(default)]
    pub also: Vec<String>,
}

/// `errorDetails`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorDetails {
    /// `JobFailed`, `PermissionError`, …
    pub code: String,
    /// The message.
    pub message: Option<String>,
}

/// What CodePipeline knows of the provider's side.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// A deployment id, a stack id.
    pub id: Option<String>,
    /// The provider's summary.
    pub summary: Option<String>,
}

/// Every case of the set, by name.
///
/// # Errors
/// When a file can't be read, or is none.
pub fn all() -> Result<Vec<Case>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut cases = vec![];
    for file in files {
        let path = file.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        let broken = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| broken(&error))?;
        let case: Case = serde_json::from_str(&resolve(&text)).map_err(|error| broken(&error))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        cases.push(Case { name, ..case });
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}
