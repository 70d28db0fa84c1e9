//! The access provider outside of a stack: function processes that are sent CloudFormation's requests by hand, and things
//! to change in an account without Crosspipe.
//!
//! # Layout
//! - this file: the account, its lock table, and the functions' processes
//! - `targets`: what custom resources change
//! - `stack`: whose requests are real

mod stack;
mod targets;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::answers::Answers;
use crate::function_process::FunctionProcess;
use crate::functions::{self, Functions};
use crate::world::World;
use crate::{CallError, LocalAws, SetupError, target_dir};

pub use stack::Owner;
pub use targets::{Targets, is_own_statement, put_foreign_role_policy};

/// Accounts that may be given access, beside those of [`writer_accounts`].
pub const ALLOWED_ACCOUNTS: [&str; 2] = ["555555555555", "666666666666"];
/// The most writers that [`writer_accounts`] has accounts for.
pub const MOST_WRITERS: usize = 60;
/// The Region of it all.
const REGION: &str = "eu-west-1";
const LOCK_TABLE: &str = "locks";

/// An account with a lock table, and the functions.
#[derive(Debug)]
pub struct Workbench {
    /// The account as it is before Crosspipe comes.
    pub world: World<'static>,
    /// The functions, built.
    pub functions: Functions,
    /// Where answers go.
    pub answers: Answers,
    log: PathBuf,
}

/// A type of custom resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `Custom::ArtifactKeyGrant`
    Key,
    /// `Custom::ArtifactBucketGrant`
    Bucket,
    /// `Custom::ServiceRoleGrant`
    Role,
    /// `Custom::BuildProjectKey`
    Project,
    /// `Custom::PipelinePatch`
    Pipeline,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Key, Self::Bucket, Self::Role, Self::Project, Self::Pipeline];

    /// The name after `Custom::`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "ArtifactKeyGrant",
            Self::Bucket => "ArtifactBucketGrant",
            Self::Role => "ServiceRoleGrant",
            Self::Project => "BuildProjectKey",
            Self::Pipeline => "PipelinePatch",
        }
    }
}

impl Workbench {
    /// A new account on the server that all share.
    ///
    /// # Errors
    ///
    /// When something can't be made.
    pub fn build() -> Result<Self, SetupError> {
        let functions = functions::build()?;
        let world = World::build(LocalAws::shared(), REGION)?;
        let table = json!({
            "TableName": LOCK_TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "LockKey", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "LockKey", "KeyType": "HASH"}],
        });
        world
            .tools
            .call("dynamodb", "create_table", table)
            .map_err(SetupError::while_doing("making the lock table"))?;
        let log = target_dir()?.join("local-aws").join(format!("functions-{}.log", world.tools.id()));
        Ok(Self { world, functions, answers: Answers::start()?, log })
    }

    /// A process of the access provider that calls AWS at this endpoint.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start_provider(&self, endpoint: &str) -> Result<FunctionProcess, SetupError> {
        let of_writers = (0..MOST_WRITERS).flat_map(writer_accounts);
        let accounts: Vec<String> =
            ALLOWED_ACCOUNTS.map(str::to_owned).into_iter().chain(of_writers).collect();
        let more = [
            ("ALLOWED_ACCOUNTS", accounts.join(",")),
            ("ALLOWED_ROLE_ARNS", ALLOWED_ACCOUNTS.map(|id| format!("arn:aws:iam::{id}:role/*")).join(",")),
        ];
        self.start("access-provider", &self.functions.access_provider, endpoint, &more)
    }

    /// A process of the failure reporter, with these variables beside the common ones.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start_reporter(
        &self,
        endpoint: &str,
        variables: &[(&str, String)],
    ) -> Result<FunctionProcess, SetupError> {
        self.start("failure-reporter", &self.functions.failure_reporter, endpoint, variables)
    }

    fn start(
        &self,
        name: &str,
        folder: &Path,
        endpoint: &str,
        variables: &[(&str, String)],
    ) -> Result<FunctionProcess, SetupError> {
        let tools = &self.world.tools;
        let common = [
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_REGION", tools.region().to_owned()),
            // Twelve digits: the root user of this account.
            ("AWS_ACCESS_KEY_ID", tools.id().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("LOCK_TABLE", LOCK_TABLE.to_owned()),
            ("RUST_LOG", "warn,access_provider=info,failure_reporter=info,crosspipe=info".to_owned()),
        ];
        let all = common.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), value.clone()));
        let environment: Vec<(String, String)> = all.collect();
        let arn = format!("arn:aws:lambda:{}:{}:function:{name}", tools.region(), tools.id());
        FunctionProcess::start(folder, &arn, &environment, &self.log)
    }

    /// The row of the lock table; null where there is none.
    ///
    /// # Errors
    ///
    /// When AWS does not answer.
    pub fn lock_row(&self, key: &str) -> Result<Value, CallError> {
        let request =
            json!({"TableName": LOCK_TABLE, "Key": {"LockKey": {"S": key}}, "ConsistentRead": true});
        let mut answer = self.world.tools.call("dynamodb", "get_item", request)?;
        Ok(answer.get_mut("Item").map(Value::take).unwrap_or_default())
    }

    /// Forgets what is on record of a target.
    ///
    /// # Errors
    ///
    /// When AWS does not answer.
    pub fn delete_lock_row(&self, key: &str) -> Result<(), CallError> {
        let request = json!({"TableName": LOCK_TABLE, "Key": {"LockKey": {"S": key}}});
        self.world.tools.call("dynamodb", "delete_item", request).map(drop)
    }
}

/// The accounts that one writer of many gives access to: at first the one, after an update both.
#[must_use]
pub fn writer_accounts(writer: usize) -> [String; 2] {
    [format!("7{writer:011}"), format!("8{writer:011}")]
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
