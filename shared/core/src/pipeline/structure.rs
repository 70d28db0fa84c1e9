use serde_json::Value;

use super::check;
use super::views::{Action, Stage, Store, list_items, optional_text, present_member, required_text};
use crate::arn::{account_of, region_of};
use crate::field_error::FieldError;

/// A pipeline as `GetPipeline` returns it: views over JSON that keeps every field, known or not, in order.
///
/// The fields are those of
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    declaration: Value,
    arn: Option<String>,
}

impl Pipeline {
    /// Reads the output of `get-pipeline` (`{"pipeline": {…}, "metadata": {…}}`) or a bare structure.
    ///
    /// # Errors
    /// The path of the first field that is missing or has the wrong type. Fields this crate does not know
    /// are never looked at, and an absent optional field may also be `null`.
    pub fn parse(value: Value) -> Result<Self, FieldError> {
        let (declaration, arn) = match value {
            Value::Object(mut fields) if fields.get("pipeline").is_some_and(Value::is_object) => {
                let arn =
                    fields.get("metadata").and_then(|it| optional_text(it, "pipelineArn")).map(str::to_owned);
                (fields.remove("pipeline").unwrap_or_default(), arn)
            }
            other => (other, None),
        };
        check::check_pipeline(&declaration)?;
        Ok(Self { declaration, arn })
    }

    /// The bare structure, as `UpdatePipeline` wants it: `metadata` is never in it.
    pub fn as_value(&self) -> &Value {
        &self.declaration
    }

    pub(super) fn into_value(self) -> Value {
        self.declaration
    }

    // For edits that keep what `check` has checked.
    pub(super) fn declaration_mut(&mut self) -> &mut Value {
        &mut self.declaration
    }

    /// The pipeline's name.
    pub fn name(&self) -> &str {
        required_text(&self.declaration, "name")
    }

    /// ARN of the service role.
    pub fn role_arn(&self) -> &str {
        required_text(&self.declaration, "roleArn")
    }

    /// The pipeline's own ARN, known only if the input had `metadata`.
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// The account of the pipeline's ARN, else that of the service role.
    pub fn account(&self) -> Option<&str> {
        self.arn().and_then(account_of).or_else(|| account_of(self.role_arn()))
    }

    /// The Region of the pipeline's ARN.
    pub fn region(&self) -> Option<&str> {
        self.arn().and_then(region_of)
    }

    /// The stages, in order.
    pub fn stages(&self) -> impl Iterator<Item = Stage<'_>> {
        list_items(&self.declaration, "stages").enumerate().map(|(index, value)| Stage { index, value })
    }

    /// Every action of every stage, in order.
    pub fn actions(&self) -> impl Iterator<Item = Action<'_>> {
        self.stages().flat_map(Stage::actions)
    }

    /// The actions whose role is in another account than the pipeline, each with that account.
    pub fn cross_account_actions(&self) -> impl Iterator<Item = (Action<'_>, &str)> {
        self.actions().filter_map(|action| Some((action, self.target_account(&action)?)))
    }

    /// The account of the action's `roleArn`, if it is another one than the pipeline's.
    pub fn target_account<'a>(&self, action: &Action<'a>) -> Option<&'a str> {
        let own = self.account()?;
        action.role_arn().and_then(account_of).filter(|account| *account != own)
    }

    /// `artifactStore`, then every entry of `artifactStores`. AWS allows only one of the two.
    pub fn stores(&self) -> impl Iterator<Item = Store<'_>> {
        let single =
            present_member(&self.declaration, "artifactStore").map(|value| Store { region: None, value });
        let regional = present_member(&self.declaration, "artifactStores").and_then(Value::as_object);
        single.into_iter().chain(
            regional.into_iter().flatten().map(|(region, value)| Store { region: Some(region), value }),
        )
    }

    /// The store that holds the artifacts of an action in `region` (`None`: the pipeline's own Region).
    ///
    /// `artifactStore` serves the pipeline's own Region only. Where that Region is unknown, `artifactStore`,
    /// or the only entry of `artifactStores`, is taken to be it.
    pub fn store_for(&self, region: Option<&str>) -> Option<Store<'_>> {
        let wanted = region.or(self.region());
        let serves = |store: &Store<'_>| match (store.region(), wanted) {
            (Some(key), Some(region)) => key == region,
            (Some(_), None) => self.stores().count() == 1,
            (None, Some(region)) => self.region().is_none_or(|own| own == region),
            (None, None) => true,
        };
        self.stores().find(serves)
    }
}
