//! Statements that speak of a scene, more or less.

use serde_json::{Map, Value, json};

use crate::conditions;
use crate::random::Random;
use crate::scene::{Kind, OTHER, OWN, Scene};

/// What a policy is attached to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The requester: identity policy, boundary, session policy.
    Requester,
    /// A bucket or a key.
    Resource,
    /// A role: a trust policy has no `Resource`.
    Trust,
    /// An organization: service control policy.
    Organization,
    /// An organization: resource control policy.
    ResourceOrganization,
}

/// A policy document.
pub(crate) fn document(scene: &Scene, place: Place, random: &mut Random) -> Value {
    let mut statements = Vec::new();
    if matches!(place, Place::Organization) && random.percent(80) {
        statements.push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    }
    for _ in 0..=random.below(3) {
        statements.push(statement(scene, place, random));
    }
    let mut document = Map::new();
    match random.below(20) {
        0..17 => document.insert("Version".into(), json!("2012-10-17")),
        17..19 => document.insert("Version".into(), json!("2008-10-17")),
        _ => None,
    };
    let single = statements.len() == 1 && random.percent(50);
    document.insert("Statement".into(), if single { statements.swap_remove(0) } else { json!(statements) });
    Value::Object(document)
}

fn statement(scene: &Scene, place: Place, random: &mut Random) -> Value {
    let deny = place == Place::ResourceOrganization || random.percent(12);
    let mut elements = Map::new();
    elements.insert("Effect".into(), json!(if deny { "Deny" } else { "Allow" }));
    match place {
        Place::Requester | Place::Organization => {}
        Place::ResourceOrganization => drop(elements.insert("Principal".into(), json!("*"))),
        // A trust policy has no NotPrincipal.
        _ if place == Place::Resource && random.percent(if deny { 20 } else { 3 }) => {
            elements.insert("NotPrincipal".into(), not_principal(scene, random));
        }
        _ => drop(elements.insert("Principal".into(), principal(scene, random))),
    }
    let name = if random.percent(88) { "Action" } else { "NotAction" };
    elements.insert(name.into(), some(random, |random| action(scene, random)));
    if place != Place::Trust {
        let name = if random.percent(90) { "Resource" } else { "NotResource" };
        elements.insert(name.into(), some(random, |random| resource(scene, random)));
    }
    if random.percent(35) {
        elements.insert("Condition".into(), conditions::block(random));
    }
    Value::Object(elements)
}

/// One text, or a list of them.
fn some(random: &mut Random, one: impl Fn(&mut Random) -> String) -> Value {
    match random.below(10) {
        0..6 => json!(one(random)),
        6 => json!([one(random)]),
        _ => json!([one(random), one(random)]),
    }
}

fn action(scene: &Scene, random: &mut Random) -> String {
    let (service, name) = (scene.service, scene.action);
    let stem: String = name.chars().take(4).collect();
    let behind: String = name.chars().skip(1).collect();
    match random.below(12) {
        0..3 => format!("{service}:{name}"),
        3 => format!("{}:{}", service.to_ascii_uppercase(), name.to_ascii_lowercase()),
        4 => format!("{service}:{stem}*"),
        5 => format!("{service}:?{behind}"),
        6 | 7 => format!("{service}:*"),
        8 => "*".to_owned(),
        9 => format!("{service}:*{behind}"),
        10 => random
            .text(&["s3:Get*", "kms:*", "sts:AssumeRole", "iam:PassRole", "codedeploy:Create*"])
            .to_owned(),
        _ => format!("{service}:{stem}"),
    }
}

fn resource(scene: &Scene, random: &mut Random) -> String {
    let arn = &scene.resource;
    if arn == "*" {
        return if random.percent(80) { "*".to_owned() } else { "arn:aws:s3:::artifacts".to_owned() };
    }
    let cut = |by: usize| arn.chars().take(arn.chars().count().saturating_sub(by)).collect::<String>();
    match random.below(16) {
        0..4 => arn.clone(),
        4..7 => "*".to_owned(),
        7 => format!("{}*", cut(3)),
        8 => format!("{}?", cut(1)),
        9 => format!("{}??", cut(1)),
        10 => arn.replace(scene.resource_account, "*"),
        11 => arn.replace(scene.resource_account, if scene.resource_account == OWN { OTHER } else { OWN }),
        12 => arn.replace("alice", "${aws:username}").replace("Target", "${aws:PrincipalTag/none, 'Target'}"),
        13 => format!("arn:{}:s3:::artifacts/*", scene.partition),
        14 => arn.replacen(scene.partition, "*", 1),
        _ => arn.to_ascii_lowercase(),
    }
}

fn principal(scene: &Scene, random: &mut Random) -> Value {
    let service = random.text(&["codepipeline.amazonaws.com", "codebuild.amazonaws.com"]);
    let provider = format!("arn:{}:iam::{}:saml-provider/Corp", scene.partition, scene.resource_account);
    match (random.below(20), scene.kind) {
        (0, _) => json!("*"),
        (1, _) => json!({"AWS": "*"}),
        (2, _) => json!({"Service": service, "AWS": OTHER}),
        (3, _) => json!({"Federated": [provider, "cognito-identity.amazonaws.com"]}),
        (4, _) => json!({"AWS": [aws(scene, random), aws(scene, random)]}),
        (5.., Kind::Service) => json!({"Service": [service, scene.principal]}),
        (5..8, Kind::Federated) => json!({"Federated": provider}),
        (8.., Kind::Federated) => json!({"Federated": scene.principal}),
        _ => json!({"AWS": aws(scene, random)}),
    }
}

fn not_principal(scene: &Scene, random: &mut Random) -> Value {
    let root = format!("arn:{}:iam::{OWN}:root", scene.partition);
    match random.below(6) {
        0 => json!({"AWS": root}),
        1 if scene.has_identity() => json!({"AWS": [root, scene.principal]}),
        2 | 3 if scene.has_identity() => {
            json!({"AWS": [root, scene.behind.as_ref().unwrap_or(&root), scene.principal]})
        }
        1..4 if scene.kind == Kind::Service => json!({"Service": [scene.principal]}),
        4 => json!({"AWS": OTHER}),
        _ => json!({"AWS": format!("arn:aws:iam::{OTHER}:user/eve")}),
    }
}

fn aws(scene: &Scene, random: &mut Random) -> String {
    let partition = scene.partition;
    let other_partition = if partition == "aws" { "aws-cn" } else { "aws" };
    match random.below(16) {
        0..4 => format!("arn:{partition}:iam::{OWN}:root"),
        4 => OWN.to_owned(),
        5..9 if scene.principal != "*" && scene.has_identity() => scene.principal.clone(),
        9..12 if scene.has_identity() => scene.behind.as_ref().unwrap_or(&scene.principal).clone(),
        12 => format!("arn:{partition}:sts::{OWN}:assumed-role/Deploy/s1"),
        13 => "AROAEXAMPLEEXAMPLE123".to_owned(),
        14 if random.percent(30) => format!("arn:{other_partition}:iam::{OWN}:root"),
        _ => format!("arn:{partition}:iam::{OTHER}:{}", random.text(&["root", "role/Deploy", "user/alice"])),
    }
}
