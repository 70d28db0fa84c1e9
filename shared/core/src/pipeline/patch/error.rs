use thiserror::Error;

use crate::field_error::FieldError;

/// A patch that doesn't fit the pipeline. `path` is the custom resource's property, such as `Actions[0].Stage`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum PatchError {
    /// The stage has an action of this name already, and this owner didn't add it.
    #[error(
        "`{path}`: stage `{stage}` already has an action `{action}`, which {holder}; \
         give the new action another name, or change the existing one's role with `ActionRoles`"
    )]
    ActionExists { path: String, stage: String, action: String, holder: &'static str },

    /// `AfterStage` or `ActionRoles` names a stage that the pipeline doesn't have.
    #[error("`{path}`: the pipeline has no stage `{stage}`; {known}")]
    StageNotFound { path: String, stage: String, known: String },

    /// `ActionRoles` names an action that the stage doesn't have.
    #[error("`{path}`: stage `{stage}` has no action `{action}`; {known}")]
    ActionNotFound { path: String, stage: String, action: String, known: String },

    /// Two entries are about the same action.
    #[error("`{path}`: action `{action}` in stage `{stage}` is already in `{first}`; remove one of the two")]
    Duplicate { path: String, first: String, stage: String, action: String },

    /// `ActionRoles` names an action that `Actions` of the same resource adds.
    #[error(
        "`{path}`: action `{action}` in stage `{stage}` is added by `{first}`; \
         give its role there as `RoleArn` and remove this entry"
    )]
    RoleOfAddedAction { path: String, first: String, stage: String, action: String },

    /// A Region in `EncryptionKeyArns` has no artifact store.
    #[error(
        "`EncryptionKeyArns.{region}`: the pipeline has no artifact store for Region `{region}`; {known}; \
         add the store to the pipeline or remove the Region here"
    )]
    RegionWithoutStore { region: String, known: String },

    /// A key is wanted and the pipeline has neither `artifactStore` nor `artifactStores`.
    #[error("`EncryptionKeyArn`: the pipeline has no artifact store; give it one first")]
    NoStore,

    /// A declaration or a name that CodePipeline would not take.
    #[error("{}", .0.with_help())]
    Field(#[from] FieldError),
}
