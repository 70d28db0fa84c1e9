//! target-account.yaml lets its role do what each action provider needs, by the parameters that the provider names.

use std::collections::{BTreeMap, BTreeSet};

use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::providers::{ActionPlace, ParameterValue, PassedRole, Provider};
use crosspipe_testing::authorization;
use serde_json::{Value, json};

use crate::reading::{TARGET, TEMPLATES, items, object, strings};

/// The managed policies that are there for providers.
const OF_PROVIDERS: [&str; 3] = ["RunAccess", "SourceAccess", "PassRoleAccess"];

/// The actions that the target role is allowed if exactly these parameters are given.
fn allowed_actions(parameters: &BTreeSet<&str>) -> BTreeSet<String> {
    let resources = &TEMPLATES[TARGET]["Resources"];
    let given = |value| branch(value, parameters);
    let inline = items(&resources["TargetRole"]["Properties"]["Policies"]).filter_map(given);
    let attached = OF_PROVIDERS
        .iter()
        .map(|name| &resources[*name])
        .filter(|policy| policy["Condition"].as_str().is_none_or(|condition| holds(condition, parameters)));
    let documents = inline.chain(attached.map(|policy| &policy["Properties"]));
    let statements = documents.flat_map(|it| items(&it["PolicyDocument"]["Statement"])).filter_map(given);
    statements.flat_map(|statement| strings(&statement["Action"])).map(str::to_owned).collect()
}

/// A value, or the branch of it that is there if exactly these parameters are given.
fn branch<'a>(value: &'a Value, parameters: &BTreeSet<&str>) -> Option<&'a Value> {
    let Some(branches) = value.get("Fn::If") else { return Some(value) };
    holds(branches[0].as_str().expect("a condition"), parameters).then_some(&branches[1])
}

/// Whether a condition of the template holds if exactly these parameters are given.
fn holds(condition: &str, parameters: &BTreeSet<&str>) -> bool {
    evaluate(&TEMPLATES[TARGET]["Conditions"][condition], parameters)
}

fn evaluate(condition: &Value, parameters: &BTreeSet<&str>) -> bool {
    let (function, argument) = object(condition).iter().next().expect("one function");
    match function.as_str() {
        "Condition" => holds(argument.as_str().unwrap(), parameters),
        "Fn::Not" => !evaluate(&argument[0], parameters),
        "Fn::And" => items(argument).all(|it| evaluate(it, parameters)),
        "Fn::Or" => items(argument).any(|it| evaluate(it, parameters)),
        "Fn::Equals" => {
            let name = argument[0]["Ref"].as_str().expect("a parameter");
            // Compared with what switches it off, or with `yes`.
            parameters.contains(name) == (argument[1] == "yes")
        }
        other => panic!("unknown function {other}"),
    }
}

/// A pipeline of one action with every configuration value that a provider may look at.
fn pipeline(category: &str, provider: &str, configuration: &Value) -> Pipeline {
    let action = json!({
        "name": "Action", "runOrder": 1, "configuration": configuration, "inputArtifacts": [{"name": "In"}],
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
    });
    Pipeline::parse(json!({"name": "p", "roleArn": "arn:aws:iam::111111111111:role/p", "stages": [{"name": "Stage", "actions": [action]}]})).unwrap()
}

/// Configurations under which a provider needs different things.
const VARIANTS: &[(&str, &str)] = &[
    ("ActionMode", "CREATE_UPDATE"),
    ("ActionMode", "REPLACE_ON_FAILURE"),
    ("ActionMode", "DELETE_ONLY"),
    ("ActionMode", "CHANGE_SET_REPLACE"),
    ("ActionMode", "CHANGE_SET_EXECUTE"),
    ("BatchEnabled", "true"),
    ("InstanceType", "EC2"),
    ("TargetGroupNameList", "web"),
    ("InspectorRunMode", "ECRImageScan"),
    ("FunctionAlias", "live"),
    ("NotificationArn", "arn:aws:sns:eu-west-1:222222222222:approvals"),
    ("RoleArn", "arn:aws:iam::222222222222:role/Stack"),
    ("AdministrationRoleArn", "arn:aws:iam::222222222222:role/StackSetAdministration"),
];

#[test]
fn every_provider_has_its_parameters() {
    let parameters = object(&TEMPLATES[TARGET]["Parameters"]);
    let mut named = BTreeSet::from(["PassRoleArns"]);
    for provider in Provider::KNOWN {
        let facts = provider.facts().unwrap();
        assert!(!facts.parameters.is_empty(), "{provider:?} has no parameter");
        for (name, value) in facts.parameters {
            named.insert(*name);
            let definition = parameters.get(*name).unwrap_or_else(|| panic!("{provider:?}: {name}"));
            let is_switch = definition["AllowedValues"] == json!(["no", "yes"]);
            assert_eq!(is_switch, *value == ParameterValue::Yes, "{provider:?}: {name}");
        }
        let mut given: BTreeSet<&str> = facts.parameters.iter().map(|(name, _)| *name).collect();
        given.insert("PassRoleArns");
        let allowed = allowed_actions(&given);
        for category in facts.categories {
            for (key, value) in VARIANTS {
                let pipeline = pipeline(category, facts.name, &json!({*key: value}));
                let action = pipeline.actions().next().unwrap();
                assert_eq!(Provider::of(&action), provider);
                let partition = "aws".to_owned();
                let place = ActionPlace { action, account: None, region: None, partition };
                for permission in provider.permissions(&place).unwrap_or_default() {
                    assert!(
                        allowed.contains(permission.action.as_ref()),
                        "{provider:?}: {}",
                        permission.action
                    );
                    let any = vec!["*".to_owned()];
                    let resources =
                        if permission.resources.is_empty() { any } else { permission.resources.clone() };
                    let statement = json!({"Action": permission.action, "Resource": resources});
                    let problems = authorization::problems(&statement);
                    assert!(problems.is_empty(), "{provider:?}, {}: {problems:?}", facts.page);
                }
                let passes = provider
                    .passed_roles(&place)
                    .into_iter()
                    .any(|it| matches!(it, PassedRole::Named { .. } | PassedRole::OfTaskDefinition { .. }));
                assert!(!passes || allowed.contains("iam:PassRole"), "{provider:?} passes a role");
            }
        }
        // Without its parameters nothing of it is allowed.
        assert!(allowed_actions(&BTreeSet::new()).is_empty());
    }
    let groups = &TEMPLATES[TARGET]["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let labelled: BTreeMap<&str, BTreeSet<&str>> = items(groups)
        .map(|group| (group["Label"]["default"].as_str().unwrap(), strings(&group["Parameters"]).collect()))
        .collect();
    let of_providers =
        labelled.iter().filter(|(label, _)| label.contains("(empty: not")).flat_map(|(_, names)| names);
    assert_eq!(of_providers.copied().collect::<BTreeSet<_>>(), named, "each parameter is some provider's");
}
