//! Everything that was said about a failed action, read once: by CodePipeline, and by the provider in the target
//! account.

use super::actor::{Actor, ActorKind, Surroundings, is_role};
use super::evidence::{self, Details};
use super::failure::Failure;
use super::message::{
    Denial, ErrorCode, ErrorSignature, assumption, claim, denial, error_code, gives_other_reason, services,
    speaks_of_access,
};
use crate::arn::{self, Arn};
use crate::pipeline::Action;
use crate::providers::Provider;

/// A failed action, and what the messages on it claim.
#[derive(Debug, Clone)]
pub struct Incident<'a> {
    /// The action execution that failed.
    pub failure: &'a Failure,
    /// The action's declaration.
    pub action: Action<'a>,
    /// What the provider says.
    pub details: Details,
    /// What the messages claim, the execution's own first, without what says nothing.
    pub claims: Vec<ErrorSignature>,
    /// The first denial that AWS tells of, and who was denied, where that is known.
    pub denial: Option<Denial>,
    /// Who was denied.
    pub actor: Option<Actor>,
    /// A denial that a function tells of in its own words: its own affair, unless it names its own role.
    pub told_by_function: Option<Denial>,
    /// Whether what was said comes from what runs in the action, a build's command, not from AWS: then nothing
    /// is sure.
    pub in_own_words: bool,
    /// The words that give the reason: the execution's own, or the provider's where those only sum up.
    pub reason: String,
    /// Whether the provider itself answered, so that everything before it went well.
    pub provider_answered: bool,
}

impl<'a> Incident<'a> {
    /// Reads everything that was said.
    pub fn read(surroundings: &Surroundings<'a>) -> Self {
        let Surroundings { failure, action, snapshot, .. } = *surroundings;
        let details = evidence::details(failure, &action, snapshot);
        let own = failure.message();
        let function = is_words_of_function(failure, &action);
        let own_claim = if function { of_function(claim(own)) } else { claim(own) };
        let own_claim = match own_claim {
            ErrorSignature::Nothing if is_code_of_other_reason(failure) => ErrorSignature::NotPermission,
            own_claim => own_claim,
        };
        let by_code = of_deployment(&details, Provider::of(&action));
        let others = details.messages.iter().map(|message| claim(message)).filter(is_of_provider);
        let mut claims = vec![];
        for claim in [own_claim.clone()].into_iter().chain(by_code).chain(others) {
            if claim != ErrorSignature::Nothing && !claims.contains(&claim) {
                claims.push(claim);
            }
        }
        // What failed on an instance is told with the instance.
        let first = details.messages.first().filter(|_| Provider::of(&action) != Provider::CodeDeploy);
        let gives_reasons = gives_reasons(Provider::of(&action));
        let is_reason = |it: &&String| is_other_reason(&claim(it)) || gives_reasons && !speaks_of_access(it);
        let stated = stated_reason(own).is_some_and(|reason| !speaks_of_access(reason));
        if claims.is_empty() && (stated || first.filter(is_reason).is_some()) {
            claims.push(ErrorSignature::NotPermission);
        }
        let has_evidence = !details.failures.is_empty() || details.code.is_some();
        let is_of_aws = action.owner() == "AWS" && !function;
        if claims.is_empty() && is_of_aws && !has_evidence && gives_other_reason(own) {
            claims.push(ErrorSignature::OtherMatter);
        }
        // That instances failed is what the others amount to.
        if claims.iter().any(|claim| *claim != ErrorSignature::Instances) {
            claims.retain(|claim| *claim != ErrorSignature::Instances);
        }
        // A refusal without words.
        if claims.is_empty() && failure.error_code.as_deref() == Some("PermissionError") {
            claims.push(ErrorSignature::Refused);
        }
        let by_aws =
            || [own].into_iter().filter(|_| !function).chain(details.messages.iter().map(String::as_str));
        let denied = |text| denial(text).or_else(|| of_foreign_bucket(text, surroundings));
        let told_by_function = Some(own).filter(|_| function).and_then(self::denial);
        // A function that names its own role passes AWS's words on.
        let of_function = told_by_function.clone().filter(|denial| {
            let actor = denial.actor.as_deref().map(|actor| surroundings.attribute(actor));
            actor.is_some_and(|actor| actor.kind == ActorKind::FunctionRole)
        });
        let denied = by_aws()
            .find_map(|text| Some((denied(text)?, text)))
            .or_else(|| of_function.map(|denial| (denial, own)))
            .filter(|(it, _)| !is_of_service(it));
        let actor = denied.as_ref().and_then(|(denied, text)| {
            let named = denied.actor.as_deref().map(|actor| surroundings.attribute(actor));
            // What the provider says without a name is about the role that it works as.
            named.or_else(|| surroundings.unnamed(denied, text, *text == own))
        });
        let in_own_words = function || denied.as_ref().is_some_and(|(_, text)| is_of_build_command(text));
        let mut denial = denied.map(|(denied, _)| denied);
        if let (Some(denial), Some(actor)) = (&mut denial, &actor) {
            denial.actor.get_or_insert_with(|| actor.arn.clone());
        }
        speak_of_other_roles(&mut claims, denial.as_ref(), surroundings);
        speak_of_other_buckets(&mut claims, denial.as_ref());
        Incident {
            failure,
            action,
            provider_answered: has_answered(failure, &action, own, &details),
            reason: reason(own, &own_claim, &details),
            told_by_function,
            details,
            claims,
            denial,
            actor,
            in_own_words,
        }
    }

    /// The error code of the reason.
    pub fn code(&self) -> Option<ErrorCode> {
        error_code(&self.reason)
    }
}

/// A function ends its action with a text of its own, which CodePipeline passes on.
fn is_words_of_function(failure: &Failure, action: &Action<'_>) -> bool {
    let by_aws = ["PermissionError", "ConfigurationError", "SystemUnavailable"];
    let of_lambda = ["Calling the invoke API action failed", "Lambda was unable to"];
    Provider::of(action) == Provider::Lambda
        && !of_lambda.iter().any(|words| failure.message().contains(words))
        && !is_answer_of_lambda(failure.message())
        && failure.error_code.as_deref().is_some_and(|code| !by_aws.contains(&code))
        && !failure.message().is_empty()
}

/// Whether Lambda itself answered, to CodePipeline: what a function passes on has its role in it, or another service.
fn is_answer_of_lambda(message: &str) -> bool {
    let by_lambda = error_code(message).and_then(|code| code.service).is_some_and(|it| it == "AWSLambda");
    by_lambda && denial(message).is_none()
}

/// What CodePipeline says with the same code is about artifacts, before the function is called.
fn of_function(claim: ErrorSignature) -> ErrorSignature {
    match claim {
        ErrorSignature::LambdaSilent
        | ErrorSignature::Artifact { .. }
        | ErrorSignature::NoSuchKey { .. }
        | ErrorSignature::KeyNotUsable { .. } => claim,
        _ => ErrorSignature::OwnWork,
    }
}

/// CodePipeline's own code for what is wrong with the action's configuration.
fn is_code_of_other_reason(failure: &Failure) -> bool {
    failure.error_code.as_deref() == Some("ConfigurationError")
}

/// What a deployment's error code says, where it says more than that instances failed.
fn of_deployment(details: &Details, provider: Provider) -> Option<ErrorSignature> {
    const OF_INSTANCES: [&str; 7] = [
        "HEALTH_CONSTRAINTS",
        "AGENT_ISSUE",
        "HOOK_EXECUTION_FAILURE",
        "CUSTOMER_APPLICATION_UNHEALTHY",
        "TIMEOUT",
        "INTERNAL_ERROR",
        "CLOUDFORMATION_STACK_FAILURE",
    ];
    let code = details.code.as_deref()?;
    let said = details.messages.iter().map(String::as_str);
    match code {
        "IAM_ROLE_MISSING" => {
            let role = said.clone().find_map(assumption).and_then(|it| it.role);
            let by = services::principal_of("codedeploy").map(str::to_owned);
            Some(ErrorSignature::RoleNotAssumable(super::message::Assumption { role, by }))
        }
        // Without instances it is a function that failed, or never reported.
        "HOOK_EXECUTION_FAILURE" if provider == Provider::CodeDeployToEcs => {
            (!said.clone().any(speaks_of_access)).then_some(ErrorSignature::NotPermission)
        }
        _ if OF_INSTANCES.contains(&code) || code.contains("PERMISSION") => None,
        _ => Some(ErrorSignature::NotPermission),
    }
}

/// Whether what a provider says is a reason that no policy has anything to do with. That a role of another account
/// can't be passed is one there: the template names that role, not the action.
fn is_other_reason(claim: &ErrorSignature) -> bool {
    matches!(claim, ErrorSignature::NotPermission | ErrorSignature::PassRoleAcross)
}

/// Whether what is told of a failure there is its reason, not only where it happened.
fn gives_reasons(provider: Provider) -> bool {
    provider.is_of_stacks() || matches!(provider, Provider::Ecs | Provider::StepFunctions)
}

/// The reason of a resource in a sentence of CloudFormation's that has it inside.
fn stated_reason(message: &str) -> Option<&str> {
    let (_, reason) = message.split_once("ResourceStatusReason:")?;
    Some(reason.trim()).filter(|reason| !reason.is_empty())
}

/// Whether a claim of the provider's says whom it is about. What it says of a denial otherwise is about the roles
/// that work there, of stacks, tasks and builds, not about the action's.
fn is_of_provider(claim: &ErrorSignature) -> bool {
    match claim {
        ErrorSignature::Denied(denial) => denial.actor.is_some(),
        ErrorSignature::RoleNotAssumable(_)
        | ErrorSignature::StackBucket
        | ErrorSignature::InstanceBucket
        | ErrorSignature::Instances
        | ErrorSignature::OwnWork
        | ErrorSignature::NoAcls
        | ErrorSignature::LambdaSilent
        | ErrorSignature::StackSetAdmin => true,
        _ => false,
    }
}

/// That a service could not assume a role is another matter than a denial.
fn is_of_service(denial: &Denial) -> bool {
    let service = denial.actor.as_deref().is_some_and(|actor| !actor.starts_with("arn:"));
    service && denial.action.eq_ignore_ascii_case("sts:AssumeRole")
}

/// A build says so of its commands, in the phases that run them.
fn is_of_build_command(text: &str) -> bool {
    let phases = ["Phase: INSTALL", "Phase: PRE_BUILD", "Phase: BUILD", "Phase: POST_BUILD"];
    text.contains("COMMAND_EXECUTION_ERROR") || phases.iter().any(|phase| text.contains(phase))
}

/// That a role may not be assumed is the pipeline's own affair only where the service role was denied.
fn speak_of_other_roles(
    claims: &mut [ErrorSignature],
    denial: Option<&Denial>,
    surroundings: &Surroundings<'_>,
) {
    let Some(denial) = denial.filter(|it| it.action.eq_ignore_ascii_case("sts:AssumeRole")) else { return };
    let other = |actor: &str| actor.starts_with("arn:") && !is_role(actor, surroundings.service_role);
    if denial.actor.as_deref().is_some_and(other) {
        for claim in claims.iter_mut().filter(|claim| matches!(claim, ErrorSignature::AssumeRole { .. })) {
            *claim = ErrorSignature::Denied(denial.clone());
        }
    }
}

/// The code of a function that lies in a bucket which is none of the pipeline's: who makes the function may not read it.
fn of_foreign_bucket(text: &str, surroundings: &Surroundings<'_>) -> Option<Denial> {
    let (before, rest) = text.split_once(" permission to GetObject for ")?;
    let (bucket, key) = rest.split([' ', '"']).next()?.trim_end_matches('.').split_once('/')?;
    let pipeline = surroundings.snapshot.pipeline().ok()?;
    let is_own = pipeline.stores().any(|store| store.bucket() == bucket);
    let partition = Arn::parse(surroundings.service_role).ok()?.partition().to_owned();
    (before.contains("denied by S3") && !is_own).then(|| Denial {
        actor: None,
        action: "s3:GetObject".to_owned(),
        resource: Some(arn::object(&partition, bucket, key)),
        side: None,
        explicit: None,
        policy: None,
    })
}

/// That a bucket of somebody else refused is no word on the pipeline's artifacts.
fn speak_of_other_buckets(claims: &mut [ErrorSignature], denial: Option<&Denial>) {
    let Some(denial) = denial.filter(|it| it.action == "s3:GetObject" && it.resource.is_some()) else {
        return;
    };
    for claim in claims.iter_mut().filter(|claim| **claim == ErrorSignature::StackBucket) {
        *claim = ErrorSignature::Denied(denial.clone());
    }
}

/// Whether it was the provider that answered, not what comes before it.
fn has_answered(failure: &Failure, action: &Action<'_>, own: &str, details: &Details) -> bool {
    let provider = services::principal_of(action.provider());
    let by_code = error_code(own).and_then(|code| services::principal_of(&code.service?));
    let of_provider = |principal| match Provider::of(action) {
        Provider::StackSet | Provider::StackInstances => {
            principal == services::principal_of("cloudformation")
        }
        _ => principal == provider,
    };
    let began = failure.error_code.as_deref() == Some("JobFailed") && failure.external_execution_id.is_some();
    by_code.is_some() && of_provider(by_code)
        || !details.failures.is_empty()
        || own.starts_with("Error calling startBuild")
        || own.contains("Stack exists but with")
        || began
            && matches!(
                Provider::of(action),
                Provider::CodeDeploy
                    | Provider::CodeDeployToEcs
                    | Provider::CodeBuild
                    | Provider::StepFunctions
            )
}

/// The execution's own words, unless the provider says more.
fn reason(own: &str, claim: &ErrorSignature, details: &Details) -> String {
    let of_provider = details.reason.as_deref().filter(|_| *claim == ErrorSignature::Nothing);
    of_provider.unwrap_or(own).to_owned()
}
