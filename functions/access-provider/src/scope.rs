//! On whose behalf, where and until when a request is served.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use crosspipe_aws::lease::{Lease, LeaseError, Leases};
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::arn::Arn;
use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::Allowed;
use crosspipe_core::owner::Owner;
use crosspipe_custom_resource::{Deadline, Failure, Request};
use crosspipe_resources::{ResourceContext, failures};

/// Time that is kept for the work itself when something is waited for.
const WORK: Duration = Duration::from_secs(10);
/// A lease outlives its holder by this much, in case clocks differ.
const SKEW: Duration = Duration::from_secs(5);
/// How long it takes until what a role is allowed is in force everywhere. A role that is younger has a function, and
/// this process, that is younger, too.
const ROLE_PROPAGATION: Duration = Duration::from_secs(60);
/// The variables that say whom the installation may let in, and the template's parameters behind them.
const ALLOWED: [(&str, &str); 3] = [
    ("ALLOWED_ACCOUNTS", "AllowedAccounts"),
    ("ALLOWED_ROLE_ARNS", "AllowedRoleArns"),
    ("ALLOWED_ORGANIZATION_ID", "AllowedOrganizationId"),
];

static PROCESS_START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What all requests of one function share.
#[derive(Clone, Copy)]
pub(crate) struct Installation<'a> {
    /// The clients.
    pub aws: &'a Aws,
    /// The leases, with what is on record.
    pub leases: &'a Leases,
    /// Whom it may let in, or why nobody knows.
    pub allowed: &'a Result<Allowed, FieldError>,
    /// The function's ARN, which tells the account and Region it works in.
    pub function_arn: &'a str,
}

/// Reads whom the installation may let in.
///
/// # Errors
/// When all of the variables are missing, which says nothing, or one can't be read. Requests are answered with it: a
/// function that ended here would leave CloudFormation waiting.
pub(crate) fn read_allowed(variable: impl Fn(&str) -> Option<String>) -> Result<Allowed, FieldError> {
    LazyLock::force(&PROCESS_START);
    let given = ALLOWED.map(|(name, _)| variable(name));
    if given.iter().all(Option::is_none) {
        let names = ALLOWED.map(|(name, _)| name).join("`, `");
        return Err(FieldError::new(
            names,
            "are not set in the function's environment, so nobody may be let in",
            "deploy template.yaml again, which sets them from AllowedAccounts, AllowedRoleArns and AllowedOrganizationId",
        ));
    }
    let [accounts, roles, organization] = given.map(Option::unwrap_or_default);
    Allowed::parse(&accounts, &roles, &organization)
}

impl<'a> Installation<'a> {
    /// The circumstances of work on behalf of this owner.
    ///
    /// # Errors
    /// When account and Region or whom to let in are not known.
    pub(crate) fn scope(self, owner: Owner, request: &str, deadline: Deadline) -> Result<Scope<'a>, Failure> {
        let function = Arn::parse(self.function_arn).map_err(|error| {
            let cause = format!("the function's own ARN can't be read: {error}");
            Failure::new(cause, "deploy the function again")
        })?;
        let allowed = self.allowed.clone().map_err(failures::of_field)?;
        let holder = format!("{}/{}", owner.stack_id(), owner.logical_id());
        let context = ResourceContext::of(&function, owner, allowed);
        Ok(Scope {
            aws: self.aws,
            context,
            request_id: request.to_owned(),
            deadline,
            leases: self.leases,
            holder,
        })
    }

    /// The circumstances of this request.
    ///
    /// # Errors
    /// As [`Installation::scope`].
    pub(crate) fn scope_of(self, request: &Request, deadline: Deadline) -> Result<Scope<'a>, Failure> {
        self.scope(Owner::new(request.stack_id(), request.logical_id()), request.request_id(), deadline)
    }
}

/// The circumstances of one request.
pub(crate) struct Scope<'a> {
    /// The clients.
    pub aws: &'a Aws,
    /// The function's account and Region, and the custom resource.
    pub context: ResourceContext,
    /// The request's id.
    pub request_id: String,
    /// By when to be done.
    pub deadline: Deadline,
    leases: &'a Leases,
    holder: String,
}

impl Scope<'_> {
    /// Waits until nobody else writes to the target.
    pub(crate) async fn lease(&self, target_arn: &str) -> Result<Lease, Failure> {
        let now = SystemTime::now();
        let end = now + self.deadline.remaining();
        let give_up = end.checked_sub(WORK).unwrap_or(now);
        let acquire = || self.leases.acquire(target_arn, &self.holder, end + SKEW, give_up);
        let mut pauses = attempt_pauses();
        loop {
            match acquire().await {
                Err(LeaseError::Aws(error))
                    if is_denied_to_fresh_role(&error) && self.pause(&mut pauses).await => {}
                outcome => return outcome.map_err(failures::of_lease),
            }
        }
    }

    /// Whether there is time for the next pause and for what comes after it; if so the pause has passed.
    pub(crate) async fn pause(&self, pauses: &mut impl Iterator<Item = Duration>) -> bool {
        let Some(pause) = pauses.next().filter(|pause| self.deadline.remaining() > *pause + WORK) else {
            return false;
        };
        tokio::time::sleep(pause).await;
        true
    }
}

/// Whether the function's own role may still be too young for its permissions to be in force.
pub(crate) fn is_denied_to_fresh_role(error: &AwsError) -> bool {
    error.kind == ErrorKind::AccessDenied && PROCESS_START.elapsed() < ROLE_PROPAGATION
}

/// The pauses between attempts.
pub(crate) fn attempt_pauses() -> impl Iterator<Item = Duration> {
    crosspipe_aws::backoff(Duration::from_millis(250), Duration::from_secs(8))
}
