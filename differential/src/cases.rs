//! Whole cases: a request with its policies, in the form that `crosspipe evaluate` reads.

use serde_json::{Map, Value, json};

use crate::random::Random;
use crate::scene::{Kind, Scene};
use crate::statements::{Place, document};

/// A random case.
pub(crate) fn case(random: &mut Random) -> Value {
    let scene = Scene::new(random);
    let mut case = Map::new();
    case.insert("principal".into(), json!(scene.principal));
    case.insert("action".into(), json!(format!("{}:{}", scene.service, scene.action)));
    case.insert("resource".into(), json!(scene.resource));
    case.insert("resourceAccount".into(), json!(scene.resource_account));
    case.insert("context".into(), Value::Object(scene.context.clone()));
    case.extend(resource_policy(&scene, random).map(|policy| ("resourcePolicy".to_owned(), policy)));
    if scene.has_identity() {
        case.extend(identity_side(&scene, random));
    }
    if random.percent(10) {
        case.insert("resourceControlPolicies".into(), levels(&scene, Place::ResourceOrganization, random));
    }
    Value::Object(case)
}

fn resource_policy(scene: &Scene, random: &mut Random) -> Option<Value> {
    // Every key and every role has a policy; nothing else but a bucket does.
    let place = match scene.service {
        "s3" => random.percent(75).then_some(Place::Resource),
        "kms" => scene.resource.contains(":key/").then_some(Place::Resource),
        "sts" => scene.resource.contains(":role/").then_some(Place::Trust),
        _ => None,
    }?;
    Some(document(scene, place, random))
}

fn identity_side(scene: &Scene, random: &mut Random) -> Map<String, Value> {
    let mut side = Map::new();
    let count = random.below(8).min(2);
    let policies: Vec<Value> = (0..count).map(|_| document(scene, Place::Requester, random)).collect();
    side.insert("identityPolicies".into(), json!(policies));
    // A boundary is set for roles and users, session policies for sessions.
    if scene.kind != Kind::FederatedUser && random.percent(20) {
        side.insert("permissionsBoundary".into(), document(scene, Place::Requester, random));
    }
    if matches!(scene.kind, Kind::Session | Kind::FederatedUser) && random.percent(30) {
        side.insert("sessionPolicies".into(), json!([document(scene, Place::Requester, random)]));
    }
    if random.percent(20) {
        side.insert("serviceControlPolicies".into(), levels(scene, Place::Organization, random));
    }
    side
}

fn levels(scene: &Scene, place: Place, random: &mut Random) -> Value {
    let count = 1 + random.below(3);
    let levels = (0..count).map(|_| {
        let policies = 1 + random.below(2);
        Value::Array((0..policies).map(|_| document(scene, place, random)).collect())
    });
    Value::Array(levels.collect())
}
