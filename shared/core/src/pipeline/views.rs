use serde_json::Value;

/// One stage of a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    pub(super) index: usize,
    pub(super) value: &'a Value,
}

impl<'a> Stage<'a> {
    /// Position in the pipeline, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The stage's name.
    pub fn name(&self) -> &'a str {
        required_text(self.value, "name")
    }

    /// Where it is, such as `stages[1]`.
    pub fn path(&self) -> String {
        format!("stages[{}]", self.index)
    }

    /// Its JSON.
    pub fn as_value(&self) -> &'a Value {
        self.value
    }

    /// Its actions, in order of declaration (not of `runOrder`).
    pub fn actions(self) -> impl Iterator<Item = Action<'a>> {
        let actions = list_items(self.value, "actions").enumerate();
        actions.map(move |(index, value)| Action { stage: self, index, value })
    }
}

/// One action of a stage.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    stage: Stage<'a>,
    index: usize,
    value: &'a Value,
}

impl<'a> Action<'a> {
    /// The stage it is in.
    pub fn stage(&self) -> Stage<'a> {
        self.stage
    }

    /// Position in its stage, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The action's name, unique in its stage.
    pub fn name(&self) -> &'a str {
        required_text(self.value, "name")
    }

    /// Where it is, such as `stages[1].actions[0]`.
    pub fn path(&self) -> String {
        format!("{}.actions[{}]", self.stage.path(), self.index)
    }

    /// Its JSON.
    pub fn as_value(&self) -> &'a Value {
        self.value
    }

    /// `actionTypeId.category`: `Source`, `Build`, `Test`, `Deploy`, `Approval`, `Invoke` or `Compute`.
    pub fn category(&self) -> &'a str {
        self.type_id("category")
    }

    /// `actionTypeId.owner`: `AWS`, `ThirdParty` or `Custom`.
    pub fn owner(&self) -> &'a str {
        self.type_id("owner")
    }

    /// `actionTypeId.provider`, such as `CodeDeploy`.
    pub fn provider(&self) -> &'a str {
        self.type_id("provider")
    }

    /// `actionTypeId.version`.
    pub fn version(&self) -> &'a str {
        self.type_id("version")
    }

    /// The role that performs the action; without one it is the service role.
    pub fn role_arn(&self) -> Option<&'a str> {
        optional_text(self.value, "roleArn")
    }

    /// The action's Region; without one it is the pipeline's.
    pub fn region(&self) -> Option<&'a str> {
        optional_text(self.value, "region")
    }

    /// The namespace of the variables it puts out.
    pub fn namespace(&self) -> Option<&'a str> {
        optional_text(self.value, "namespace")
    }

    /// One entry of `configuration`.
    pub fn configuration(&self, key: &str) -> Option<&'a str> {
        self.value.get("configuration").and_then(|it| optional_text(it, key))
    }

    /// Names of the input artifacts.
    pub fn input_artifacts(&self) -> impl Iterator<Item = &'a str> {
        list_items(self.value, "inputArtifacts").map(|artifact| required_text(artifact, "name"))
    }

    /// Names of the output artifacts.
    pub fn output_artifacts(&self) -> impl Iterator<Item = &'a str> {
        list_items(self.value, "outputArtifacts").map(|artifact| required_text(artifact, "name"))
    }

    /// `runOrder`, which is 1 where none is given.
    pub fn run_order(&self) -> u64 {
        self.value.get("runOrder").and_then(Value::as_u64).unwrap_or(1)
    }

    fn type_id(&self, field: &str) -> &'a str {
        self.value.get("actionTypeId").and_then(|it| optional_text(it, field)).unwrap_or_default()
    }
}

/// `artifactStore`, or one entry of `artifactStores`.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a> {
    pub(super) region: Option<&'a str>,
    pub(super) value: &'a Value,
}

impl<'a> Store<'a> {
    /// Its key in `artifactStores`; `None` for `artifactStore`.
    pub fn region(&self) -> Option<&'a str> {
        self.region
    }

    /// Name of the artifact bucket.
    pub fn bucket(&self) -> &'a str {
        required_text(self.value, "location")
    }

    /// `encryptionKey.id`: key ARN, key id, alias name or alias ARN, as given.
    pub fn key_id(&self) -> Option<&'a str> {
        self.value.get("encryptionKey").and_then(|it| optional_text(it, "id"))
    }

    /// Where it is: `artifactStore` or, say, `artifactStores.us-east-1`.
    pub fn path(&self) -> String {
        self.region.map_or_else(|| "artifactStore".into(), |region| format!("artifactStores.{region}"))
    }

    /// Its JSON.
    pub fn as_value(&self) -> &'a Value {
        self.value
    }
}

// `check` makes sure that required fields are there, so the default is never taken.
pub(super) fn required_text<'a>(value: &'a Value, field: &str) -> &'a str {
    optional_text(value, field).unwrap_or_default()
}

pub(super) fn optional_text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

pub(super) fn present_member<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.get(field).filter(|it| !it.is_null())
}

pub(super) fn list_items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}
