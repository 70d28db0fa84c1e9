//! Events of failed actions while AWS fails.
//!
//! Lambda tries an event three times and then keeps it as a dead letter. Each failure has to end as one alert or one
//! dead letter, whatever goes wrong on the way.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Row, Trouble, Verdict};
use crate::fault_proxy::{Fault, FaultProxy, Plan};
use crate::function_process::{FunctionProcess, Outcome};
use crate::workbench::Workbench;
use crate::{CallError, SetupError, Subscriber};

/// What an invocation has.
const TIME: Duration = Duration::from_secs(30);
/// What one has that is killed: the shorter, the sooner its claim is over.
const SHORT_LIFE: Duration = Duration::from_secs(16);
/// How often Lambda tries an event.
const ATTEMPTS: usize = 3;
/// Until an alert has arrived.
const DELIVERY: Duration = Duration::from_secs(10);
/// Until a second alert would have arrived.
const STRAY: Duration = Duration::from_millis(500);

/// A call of a report, and what goes wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The call, from 0.
    pub call: usize,
    /// What goes wrong with it.
    pub trouble: Trouble,
}

/// A pipeline whose action in the target account fails each time.
pub struct FailingPipeline<'a> {
    bench: &'a Workbench,
}

impl<'a> FailingPipeline<'a> {
    /// Makes one that fails for a bucket that lets nobody else in.
    ///
    /// # Errors
    ///
    /// When something can't be set up.
    pub fn make(bench: &'a Workbench) -> Result<Self, SetupError> {
        Self::set_up(bench).map_err(SetupError::while_doing("making a pipeline that fails"))?;
        Ok(Self { bench })
    }

    fn set_up(bench: &Workbench) -> Result<(), CallError> {
        let world = &bench.world;
        let call = |service, operation, request| world.tools.call(service, operation, request);
        world.deploy_target()?;
        let role = world.target_role_arn();
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}]});
        call(
            "iam",
            "put_role_policy",
            json!({"RoleName": world.service_role, "PolicyName": "target", "PolicyDocument": policy.to_string()}),
        )?;
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": world.tools.id()}, "Action": "sts:AssumeRole"}]});
        let request = json!({"RoleName": "CrosspipeDiagnosticsRole", "PolicyDocument": trust.to_string()});
        world.target.call("iam", "update_assume_role_policy", request)?;
        let mut pipeline = call("codepipeline", "get_pipeline", json!({"name": world.pipeline}))?;
        let mut pipeline = pipeline.get_mut("pipeline").map(Value::take).unwrap_or_default();
        let stages = pipeline.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten();
        let actions = stages.filter_map(|stage| stage.get_mut("actions")?.as_array_mut()).flatten();
        for action in
            actions.filter(|action| action.pointer("/actionTypeId/provider") == Some(&json!("CodeDeploy")))
        {
            if let Value::Object(action) = action {
                action.insert("roleArn".to_owned(), json!(role));
            }
        }
        call("codepipeline", "update_pipeline", json!({"pipeline": pipeline}))?;
        Ok(())
    }

    /// Runs it; the event of its failure.
    fn next_event(&self) -> Result<Value, CallError> {
        let world = &self.bench.world;
        let call = |operation, request| world.tools.call("codepipeline", operation, request);
        let started = call("start_pipeline_execution", json!({"name": world.pipeline}))?;
        let filter = json!({"pipelineExecutionId": started.get("pipelineExecutionId")});
        let listed =
            call("list_action_executions", json!({"pipelineName": world.pipeline, "filter": filter}))?;
        let failed = listed.pointer("/actionExecutionDetails/0").cloned().unwrap_or_default();
        if failed.get("status") != Some(&json!("Failed")) {
            return Err(CallError { code: "NotFailed".to_owned(), message: failed.to_string(), status: 0 });
        }
        Ok(json!({
            "version": "0", "id": "e", "detail-type": "CodePipeline Action Execution State Change", "source": "aws.codepipeline",
            "account": world.tools.id(), "region": world.tools.region(), "resources": [world.pipeline_arn()],
            "detail": {
                "pipeline": world.pipeline, "execution-id": failed.get("pipelineExecutionId"), "state": "FAILED",
                "stage": failed.get("stageName"), "action": failed.get("actionName"),
                "action-execution-id": failed.get("actionExecutionId"), "type": failed.pointer("/input/actionTypeId"),
            },
        }))
    }
}

/// Whoever sends the events, in Lambda's place.
pub struct Sender<'a> {
    pipeline: &'a FailingPipeline<'a>,
    proxy: FaultProxy,
    subscriber: Subscriber,
    variables: [(&'static str, String); 4],
    calls: Vec<String>,
}

impl<'a> Sender<'a> {
    /// With a topic of its own; one report is made without a fault.
    ///
    /// # Errors
    ///
    /// When something can't be made, or no report comes.
    pub fn start(pipeline: &'a FailingPipeline<'a>, name: &str) -> Result<Self, SetupError> {
        let bench = pipeline.bench;
        let tools = &bench.world.tools;
        let doing = || SetupError::while_doing::<CallError>("subscribing to alerts");
        let topic =
            tools.call("sns", "create_topic", json!({"Name": format!("alerts-{name}")})).map_err(doing())?;
        let topic = topic.get("TopicArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let subscriber = Subscriber::start()?;
        subscriber.subscribe(tools, &topic, DELIVERY).map_err(doing())?;
        let proxy = FaultProxy::start(tools.aws().port())?;
        let variables = [
            ("ALERT_TOPIC_ARN", topic),
            ("DIAGNOSTICS_ROLE_NAME", "CrosspipeDiagnosticsRole".to_owned()),
            ("REMEDIATION_MODE", "propose".to_owned()),
            ("LOG_TAILS", "omit".to_owned()),
        ];
        let mut sender = Self { pipeline, proxy, subscriber, variables, calls: vec![] };
        let (verdict, calls) = sender.send(None).map_err(SetupError::new)?;
        if verdict != Verdict::Done {
            return Err(SetupError::new(format!("a report without a fault ended as {verdict:?}")));
        }
        sender.calls = calls;
        Ok(sender)
    }

    /// The operations that a report calls when nothing goes wrong. Many of them are called side by side.
    #[must_use]
    pub fn calls(&self) -> &[String] {
        &self.calls
    }

    /// Each call of a report, with each of these faults.
    #[must_use]
    pub fn cases(&self, troubles: &[Trouble]) -> Vec<Case> {
        let calls = 0..self.calls.len();
        calls.flat_map(|call| troubles.iter().map(move |trouble| Case { call, trouble: *trouble })).collect()
    }

    /// Sends an event while the fault of a case is on.
    pub fn try_case(&mut self, Case { call, trouble }: Case) -> Row {
        let plan = Plan { call, lasting: trouble.lasting, fault: trouble.fault };
        let planned = self.calls.get(call).cloned().unwrap_or_default();
        let (verdict, seen) = self.send(Some(plan)).unwrap_or_else(|problem| (Verdict::Bad(problem), vec![]));
        let operation = seen.get(call).cloned().unwrap_or(planned);
        let verdict = match verdict {
            // Nobody can know that an alert went out whose answer was lost, or that was not put on record.
            Verdict::Repeated if !operation.starts_with("sns ") && !operation.starts_with("dynamodb ") => {
                Verdict::Bad("alerted twice".to_owned())
            }
            verdict => verdict,
        };
        Row { work: "report".to_owned(), operation, trouble, verdict }
    }

    fn send(&mut self, plan: Option<Plan>) -> Result<(Verdict, Vec<String>), String> {
        let event = self.pipeline.next_event().map_err(|error| error.to_string())?;
        let id = event
            .pointer("/detail/action-execution-id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let kills = plan.is_some_and(|plan| matches!(plan.fault, Fault::KilledBefore | Fault::KilledAfter));
        let mut process = self.start_reporter()?;
        self.proxy.set_plan(plan, Some(process.process()));
        let mut is_done = false;
        for attempt in 0..ATTEMPTS {
            let time = if kills && attempt == 0 { SHORT_LIFE } else { TIME };
            let started = Instant::now();
            match process.invoke(&id, &event, time) {
                Outcome::Returned(_) => {
                    is_done = true;
                    break;
                }
                // Lambda's pause; it is over when the lost invocation's claim is.
                Outcome::Died | Outcome::TimedOut => {
                    thread::sleep((time + Duration::from_secs(2)).saturating_sub(started.elapsed()));
                    process = self.start_reporter()?;
                }
                Outcome::Failed(_) => thread::sleep(Duration::from_millis(200)),
            }
        }
        let seen = self.proxy.end_plan();
        let patience = if is_done { DELIVERY } else { STRAY };
        let mut alerts = usize::from(self.subscriber.wait_for(patience, |_| true).is_some());
        while self.subscriber.wait_for(STRAY, |_| true).is_some() {
            alerts += 1;
        }
        let verdict = match (is_done, alerts) {
            (true, 1) => Verdict::Done,
            (false, 0) => Verdict::GivenUp,
            // No more than one with each attempt.
            (true, 2..=ATTEMPTS) | (false, 1..=ATTEMPTS) => Verdict::Repeated,
            _ => Verdict::Bad(format!(
                "{alerts} alerts, and the event {}",
                if is_done { "is done" } else { "is a dead letter" }
            )),
        };
        Ok((verdict, seen))
    }

    fn start_reporter(&self) -> Result<FunctionProcess, String> {
        let bench = self.pipeline.bench;
        bench.start_reporter(&self.proxy.endpoint(), &self.variables).map_err(|error| error.to_string())
    }
}
