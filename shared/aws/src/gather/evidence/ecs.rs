//! ECS: the service, the tasks that it lost, and the roles of their task definition.

use crosspipe_core::snapshot::{Fact, ServiceFacts, Snapshot};
use futures_util::future::join;
use serde_json::{Map, Value};

use super::{ActionQuery, Evidence, roles_named};
use crate::AwsError;
use crate::ecs::Ecs;
use crate::gather::known_facts;

/// Tasks of a service stop for the same reason, over and over.
const TASKS: i32 = 10;
const ROLES: [&str; 2] = ["taskRoleArn", "executionRoleArn"];

pub(super) async fn read(query: ActionQuery<'_>) -> Evidence {
    let (Some(cluster), Some(service)) = (query.of("ClusterName"), query.of("ServiceName")) else {
        return Evidence::default();
    };
    let ecs = query.aws.ecs();
    let name = format!("{cluster}/{service}");
    let about = format!("service {name}");
    let stopped = async {
        match query.failure {
            Some(_) => query.reader.known(&about, ecs.stopped_tasks(cluster, service, TASKS)).await,
            None => Fact::Unknown,
        }
    };
    let (service, stopped_tasks) =
        join(query.reader.fact(&about, ecs.service(cluster, service)), stopped).await;
    let task_definition = match definition_of(&service, &stopped_tasks) {
        Some(definition) => query.reader.known(definition, task_roles(&ecs, definition)).await,
        None => Fact::Unknown,
    };
    let roles = task_definition.known().into_iter().flat_map(|it: &Value| roles_named(it, &ROLES)).collect();
    let facts = match (service, stopped_tasks) {
        (Fact::Absent, _) => Fact::Absent,
        (Fact::Unknown, Fact::Unknown) => Fact::Unknown,
        (service, stopped_tasks) => Fact::Known(ServiceFacts { service, stopped_tasks, task_definition }),
    };
    let services = known_facts([(name, facts)]);
    Evidence { parts: Snapshot { services, ..Snapshot::default() }, roles, instance_roles: None }
}

/// What the tasks that stopped were made of; a service that was rolled back names the one before.
fn definition_of<'a>(service: &'a Fact<Value>, stopped: &'a Fact<Vec<Value>>) -> Option<&'a str> {
    let of_task = stopped.known().and_then(|tasks| tasks.first()?.get("taskDefinitionArn"));
    of_task.or_else(|| service.known()?.get("taskDefinition"))?.as_str()
}

/// Its roles only: containers have environments.
async fn task_roles(ecs: &Ecs, name: &str) -> Result<Value, AwsError> {
    let definition = ecs.task_definition(name).await?;
    let kept = ["taskDefinitionArn"].into_iter().chain(ROLES);
    let kept = kept.filter_map(|member| Some((member.to_owned(), definition.get(member)?.clone())));
    Ok(Value::Object(kept.collect::<Map<_, _>>()))
}
