//! A pipeline that takes changes as AWS would.

use crosspipe_core::owner::Owner;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::pipeline::patch::{
    ActionRole, Change, Desired, KeyChoice, NewAction, OwnerStates, plan, plan_revert,
};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "arn:aws:kms:us-east-2:111111111111:key/11111111-2222-3333-4444-555555555555";
pub(crate) const ROLE: &str = "arn:aws:iam::222222222222:role/CrossAccount_Role";

/// A pipeline, and what is on record of its patches.
pub(crate) struct Live {
    pub document: Value,
    pub states: OwnerStates,
}

impl Live {
    pub(crate) fn new() -> Self {
        let document = serde_json::from_str(include_str!("../data/pipeline-v2.json")).unwrap();
        Self { document, states: OwnerStates::new() }
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline::parse(self.document.clone()).unwrap()
    }

    pub(crate) fn plan(&self, owner: &str, desired: &Desired) -> Change {
        plan(&self.pipeline(), &self.states, &Owner::new("stack", owner), desired).unwrap()
    }

    #[track_caller]
    pub(crate) fn apply(&mut self, owner: &str, desired: &Desired) {
        let change = self.plan(owner, desired);
        self.write(&change);
        assert!(self.is_settled(owner, desired), "the same request again is no change");
    }

    pub(crate) fn is_settled(&self, owner: &str, desired: &Desired) -> bool {
        let change = self.plan(owner, desired);
        change.pipeline.is_none() && change.during == self.states && change.after == self.states
    }

    pub(crate) fn refuse(&self, desired: &Desired) -> String {
        let owner = Owner::new("stack", "one");
        plan(&self.pipeline(), &self.states, &owner, desired).unwrap_err().to_string()
    }

    pub(crate) fn revert(&mut self, owner: &str) -> Vec<String> {
        let change = plan_revert(&self.pipeline(), &self.states, &Owner::new("stack", owner));
        self.write(&change);
        change.drifted
    }

    pub(crate) fn write(&mut self, change: &Change) {
        if let Some(pipeline) = &change.pipeline {
            self.document["pipeline"] = pipeline.clone();
        }
        self.states = change.after.clone();
    }

    pub(crate) fn action(&mut self, stage: &str, name: &str) -> &mut Value {
        let stages = self.document["pipeline"]["stages"].as_array_mut().unwrap();
        let stage = stages.iter_mut().find(|it| it["name"] == stage).unwrap();
        stage["actions"].as_array_mut().unwrap().iter_mut().find(|it| it["name"] == name).unwrap()
    }

    pub(crate) fn stages(&self) -> Vec<String> {
        self.pipeline().stages().map(|stage| stage.name().to_owned()).collect()
    }

    pub(crate) fn assert_original(&self) {
        let original = Self::new();
        assert_eq!(self.document.to_string(), original.document.to_string());
        assert_eq!(self.states, original.states);
    }
}

pub(crate) fn deploy(name: &str) -> Value {
    json!({
        "name": name,
        "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1"},
        "inputArtifacts": [{"name": "BuildOutput"}],
        "configuration": {"ApplicationName": "AccountBApplicationName"},
        "roleArn": ROLE,
    })
}

pub(crate) fn new_action(stage: &str, after_stage: Option<&str>, declaration: Value) -> NewAction {
    NewAction { stage: stage.into(), after_stage: after_stage.map(Into::into), declaration }
}

pub(crate) fn role(stage: &str, action: &str, role_arn: &str) -> ActionRole {
    ActionRole { stage: stage.into(), action: action.into(), role_arn: role_arn.into() }
}

/// What the walkthrough sets up, on all stores, with an action re-roled besides.
pub(crate) fn walkthrough() -> Desired {
    Desired {
        encryption_keys: KeyChoice::All(KEY.into()),
        actions: vec![new_action("External", Some("Staging"), deploy("ExternalDeploy"))],
        roles: vec![role("Production", "Deploy", ROLE), role("Staging", "DeployDublin", ROLE)],
    }
}
