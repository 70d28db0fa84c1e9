//! The healthy world of a provider, and changes to it.
//!
//! `world.json` is a snapshot in which nothing is wrong, with roles and policies for any provider;
//! `providers.json` has what each provider adds to it: the action, and the statements that its role needs.
//!
//! A path in a case names members from the outside in, ` > ` between them: `bucket policy > TargetObjects`.
//! In a list, an element goes by its `Sid` or `name`. The first member may be one of the
//! places that have a short name.

use serde_json::{Map, Value, json};

use crate::names::resolve;

const WORLD: &str = include_str!("../world.json");
const PROVIDERS: &str = include_str!("../providers.json");

/// Short names of places in a snapshot.
const PLACES: [(&str, &str); 14] = [
    ("key policy", "keys > $KEY > policy > Statement"),
    ("key", "keys > $KEY"),
    ("bucket policy", "buckets > $BUCKET > policy > Statement"),
    ("bucket", "buckets > $BUCKET"),
    ("store", "pipeline > pipeline > artifactStore"),
    ("stages", "pipeline > pipeline > stages"),
    ("service role", "roles > $SERVICE_ROLE"),
    ("service policies", "roles > $SERVICE_ROLE > inlinePolicies"),
    ("target role", "roles > $TARGET_ROLE"),
    ("target trust", "roles > $TARGET_ROLE > trustPolicy > Statement"),
    ("target policies", "roles > $TARGET_ROLE > inlinePolicies"),
    ("instance role", "roles > $INSTANCE_ROLE"),
    ("instance policies", "roles > $INSTANCE_ROLE > inlinePolicies"),
    ("stack policies", "roles > $STACK_ROLE > inlinePolicies"),
];

/// A snapshot in which nothing is wrong, and the stage and name of the provider's action in it.
///
/// # Errors
/// When there is no such provider.
pub fn healthy(provider: &str) -> Result<(Value, (String, String)), String> {
    let parse = |text: &str| serde_json::from_str::<Value>(&resolve(text)).map_err(|error| error.to_string());
    let mut world = parse(WORLD)?;
    let mut providers = parse(PROVIDERS)?;
    let of = providers.get_mut(provider).map(Value::take);
    let mut of = of.ok_or_else(|| format!("providers.json has no `{provider}`"))?;
    let mut part = |name: &str| of.get_mut(name).map(Value::take).unwrap_or_default();
    let category = part("category");
    let source = category == "Source";
    let (stage, name) = if source { ("Source", "Source") } else { ("Deploy", "Deploy") };
    let artifact = json!([{"name": "App"}]);
    let (inputs, outputs) = if source { (json!([]), artifact) } else { (artifact, json!([])) };
    let action = json!({
        "name": name, "runOrder": 1, "roleArn": resolve("$TARGET_ROLE"),
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": part("configuration"), "inputArtifacts": inputs, "outputArtifacts": outputs
    });
    set(&mut world, &format!("stages > {stage} > actions > {name}"), action)?;
    let Value::Object(needs) = part("needs") else { return Err(format!("`{provider}` has no needs")) };
    let statements = needs.into_iter().map(|(sid, mut statement)| {
        if let Some(members) = statement.as_object_mut() {
            members.extend([("Sid".to_owned(), json!(sid)), ("Effect".to_owned(), json!("Allow"))]);
        }
        statement
    });
    set(&mut world, "target policies > Provider", json!({"Statement": statements.collect::<Vec<_>>()}))?;
    for (bucket, facts) in part("buckets").as_object().into_iter().flatten() {
        set(&mut world, &format!("buckets > {bucket}"), facts.clone())?;
    }
    Ok((world, (stage.to_owned(), name.to_owned())))
}

/// Takes away what a path leads to.
///
/// # Errors
/// When there is no such thing: a case that changes nothing is a mistake.
pub fn remove(world: &mut Value, path: &str) -> Result<(), String> {
    let (place, last) = place(world, path)?;
    let found = match place {
        Value::Object(members) => members.shift_remove(&last).is_some(),
        Value::Array(elements) => {
            let found = elements.iter().position(|element| is_called(element, &last));
            found.map(|at| elements.remove(at)).is_some()
        }
        _ => false,
    };
    if found { Ok(()) } else { Err(format!("there is no `{path}` to remove")) }
}

/// Sets what a path leads to; in a list, adds it where nothing goes by its name.
///
/// # Errors
/// When there is nothing to hold it.
pub fn set(world: &mut Value, path: &str, mut value: Value) -> Result<(), String> {
    let (place, last) = place(world, path)?;
    match place {
        Value::Object(members) => drop(members.insert(last, value)),
        Value::Array(elements) => {
            if let Some(members) = value.as_object_mut().filter(|it| !it.contains_key("name")) {
                members.insert("Sid".into(), json!(last));
            }
            match elements.iter_mut().find(|element| is_called(element, &last)) {
                Some(element) => *element = value,
                None => elements.push(value),
            }
        }
        _ => return Err(format!("nothing can hold `{path}`")),
    }
    Ok(())
}

/// What holds the last member of a path, and the name of that member. Objects on the way are made.
fn place<'a>(world: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (first, rest) = path.split_once(" > ").unwrap_or((path, ""));
    let first = PLACES.iter().find(|(name, _)| *name == first).map_or(first, |(_, place)| *place);
    let whole = resolve(&[first, rest].join(" > "));
    let mut members: Vec<&str> = whole.split(" > ").filter(|member| !member.is_empty()).collect();
    let last = members.pop().ok_or("an empty path")?.to_owned();
    let mut place = world;
    for member in members {
        place = match place {
            Value::Array(elements) => elements.iter_mut().find(|element| is_called(element, member)),
            Value::Object(object) => Some(object.entry(member).or_insert_with(|| Value::Object(Map::new()))),
            _ => None,
        }
        .ok_or_else(|| format!("there is no `{member}` in `{path}`"))?;
    }
    Ok((place, last))
}

fn is_called(element: &Value, name: &str) -> bool {
    ["Sid", "name"].into_iter().any(|member| element.get(member).and_then(Value::as_str) == Some(name))
}
