//! The properties of `Custom::PipelinePatch`.

use std::collections::BTreeMap;

use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::grantees::role_arn;
use crosspipe_core::grants::key::key_arn;
use crosspipe_core::pipeline::patch::{
    ActionRole, Desired, KeyChoice, NewAction, declaration_from_cloudformation,
};
use serde_json::{Map, Value};

use crate::ResourceContext;
use crate::properties::{Object, Properties};
use crate::reference::Property;

const ONE: &str = "at least one change";

/// What is said of them.
pub(crate) const PROPERTIES: [Property; 6] = [
    Property::required("PipelineName", "name of a pipeline of this account and Region"),
    Property::one_of("EncryptionKeyArn", ONE, "ARN of the key of every artifact store"),
    Property::one_of(
        "EncryptionKeyArns",
        ONE,
        "instead of `EncryptionKeyArn`: a key for the store of each Region, as a list or as `{REGION: ARN}`",
    ),
    Property::one_of(
        "Actions",
        ONE,
        "list of `Stage`, `AfterStage` and `Action`, an [action declaration](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-codepipeline-pipeline-actiondeclaration.html) that is added to the stage; a new stage is placed after `AfterStage`, or at the end",
    ),
    Property::one_of(
        "ActionRoles",
        ONE,
        "list of `Stage`, `Action` and `RoleArn`: existing actions get this role",
    ),
    Property::default("StartExecution", "`false`", "start the pipeline once it is patched"),
];

/// What the properties say.
pub(crate) struct PatchProperties {
    /// `PipelineName`
    pub pipeline_name: String,
    /// `EncryptionKeyArn`, `EncryptionKeyArns`, `Actions`, `ActionRoles`
    pub desired: Desired,
    /// `StartExecution`
    pub start_execution: bool,
}

/// Reads and checks them.
pub(crate) fn read_patch(
    properties: &Map<String, Value>,
    context: &ResourceContext,
) -> Result<PatchProperties, FieldError> {
    let read = Properties::new(properties, &[&PROPERTIES])?;
    let actions = read.objects("Actions")?;
    let roles = read.objects("ActionRoles")?;
    let desired = Desired {
        encryption_keys: encryption_keys(&read, context)?,
        actions: actions.iter().map(|it| new_action(it, context)).collect::<Result<_, _>>()?,
        roles: roles.iter().map(|it| action_role(it, context)).collect::<Result<_, _>>()?,
    };
    if desired == Desired::default() {
        return Err(FieldError::new(
            "EncryptionKeyArn",
            "is missing, and so are `Actions` and `ActionRoles`: there is nothing to patch",
            "give at least one of them",
        ));
    }
    Ok(PatchProperties {
        pipeline_name: read.required("PipelineName")?.to_owned(),
        desired,
        start_execution: read.boolean("StartExecution", false)?,
    })
}

fn encryption_keys(read: &Properties<'_>, context: &ResourceContext) -> Result<KeyChoice, FieldError> {
    let one = read.optional("EncryptionKeyArn")?;
    let many = keys_by_region(read, context)?;
    match (one, many) {
        (None, None) => Ok(KeyChoice::None),
        (Some(_), Some(_)) => Err(read.error(
            "EncryptionKeyArn",
            "is given together with `EncryptionKeyArns`",
            "give one of the two",
        )),
        (Some(arn), None) => {
            key_arn("EncryptionKeyArn", arn, &context.account, Some(&context.region))?;
            Ok(KeyChoice::All(arn.to_owned()))
        }
        (None, Some(keys)) => Ok(KeyChoice::ByRegion(keys)),
    }
}

/// `EncryptionKeyArns`: an object by Region, or a list, since each ARN says its Region; CloudFormation can't make the
/// names of an object from parameters.
fn keys_by_region(
    read: &Properties<'_>,
    context: &ResourceContext,
) -> Result<Option<BTreeMap<String, String>>, FieldError> {
    let name = "EncryptionKeyArns";
    let mut keys = BTreeMap::new();
    if let Ok(arns) = read.list(name) {
        for arn in &arns {
            let key = key_arn(name, arn, &context.account, None)?;
            if keys.insert(key.region().to_owned(), arn.clone()).is_some() {
                let fault = format!("has two keys of {}", key.region());
                return Err(read.error(name, fault, "give one for each Region"));
            }
        }
    } else if let Some(object) = read.object(name)? {
        for (region, arn) in object.map {
            let field = format!("{}.{region}", object.path);
            let arn = arn.as_str().unwrap_or_default();
            key_arn(&field, arn, &context.account, Some(region))?;
            keys.insert(region.clone(), arn.to_owned());
        }
    }
    Ok((!keys.is_empty()).then_some(keys))
}

fn new_action(object: &Object<'_>, context: &ResourceContext) -> Result<NewAction, FieldError> {
    let read = object.properties(&["Stage", "AfterStage", "Action"])?;
    let Some(action) = read.object("Action")? else {
        let next_step = "give an action declaration as in AWS::CodePipeline::Pipeline";
        return Err(read.error("Action", "is missing", next_step));
    };
    let declaration = declaration_from_cloudformation(&Value::Object(action.map.clone()));
    let declaration = declaration.map_err(|error| error.within(&action.path))?;
    if let Some(role) = declaration.get("roleArn").and_then(Value::as_str) {
        allowed_role(&format!("{}.RoleArn", action.path), role, context)?;
    }
    Ok(NewAction {
        stage: read.required("Stage")?.to_owned(),
        after_stage: read.optional("AfterStage")?.map(str::to_owned),
        declaration,
    })
}

fn action_role(object: &Object<'_>, context: &ResourceContext) -> Result<ActionRole, FieldError> {
    let read = object.properties(&["Stage", "Action", "RoleArn"])?;
    let arn = read.required("RoleArn")?;
    allowed_role(&format!("{}.RoleArn", object.path), arn, context)?;
    Ok(ActionRole {
        stage: read.required("Stage")?.to_owned(),
        action: read.required("Action")?.to_owned(),
        role_arn: arn.to_owned(),
    })
}

fn allowed_role(field: &str, text: &str, context: &ResourceContext) -> Result<(), FieldError> {
    role_arn(field, text).and_then(|arn| context.allowed.role(field, &arn, &context.account))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

    use crosspipe_core::arn::Arn;
    use crosspipe_core::grants::Allowed;
    use crosspipe_core::owner::Owner;
    use serde_json::json;

    use super::*;

    fn read_keys(keys: &Value) -> Result<KeyChoice, FieldError> {
        let function = Arn::parse("arn:aws:lambda:eu-west-1:111111111111:function:access-provider").unwrap();
        let owner = Owner::new("arn:aws:cloudformation:eu-west-1:111111111111:stack/s/1", "R");
        let context = ResourceContext::of(&function, owner, Allowed::parse("222222222222", "", "").unwrap());
        let given = json!({"PipelineName": "orders", "EncryptionKeyArns": keys});
        read_patch(given.as_object().unwrap(), &context).map(|read| read.desired.encryption_keys)
    }

    fn key(region: &str, account: &str, id: &str) -> String {
        format!("arn:aws:kms:{region}:{account}:key/{id}")
    }

    #[test]
    fn each_region_has_one_key() {
        let [home, further, second] = [("eu-west-1", "1"), ("us-east-1", "2"), ("us-east-1", "3")]
            .map(|(region, id)| key(region, "111111111111", id));
        let by_region = BTreeMap::from([
            ("eu-west-1".to_owned(), home.clone()),
            ("us-east-1".to_owned(), further.clone()),
        ]);
        assert_eq!(read_keys(&json!([home, further])), Ok(KeyChoice::ByRegion(by_region)));
        for keys in [json!([home, further, second]), json!(format!("{home},{further},{second}"))] {
            let text = read_keys(&keys).unwrap_err().with_help();
            for part in ["`EncryptionKeyArns`", "has two keys of us-east-1", "one for each Region"] {
                assert!(text.contains(part), "`{part}` is not in: {text}");
            }
        }
        // By name, a key of another Region is named as that; so is another account's.
        let text = read_keys(&json!({"eu-west-1": further})).unwrap_err().with_help();
        assert!(text.contains("`EncryptionKeyArns.eu-west-1`"), "{text}");
        let text = read_keys(&json!([key("eu-west-1", "222222222222", "1")])).unwrap_err().with_help();
        assert!(text.contains("`EncryptionKeyArns`"), "{text}");
    }
}
