//! Where Region, credentials, endpoint, timeouts and retries come from.

use std::time::Duration;

use aws_config::{
    AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol as Json;

use crate::{
    cloudformation::CloudFormation, codebuild::CodeBuild, codedeploy::CodeDeploy, codepipeline::CodePipeline,
    ecs::Ecs, error::AwsError, eventbridge::EventBridge, iam::Iam, kms::Kms, lambda::Lambda, s3::S3,
    secrets::Secrets, sns::Sns, sqs::Sqs, stepfunctions::StepFunctions,
};

/// Connecting is a handshake away or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// One attempt, answer included. IAM and CodePipeline take a second or two on a bad day.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// All attempts of one call and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(45);
const MAX_ATTEMPTS: u32 = 5;
/// The shortest session STS gives, and the longest a Lambda function runs.
const SESSION_SECONDS: i32 = 900;

/// One identity in one Region: hands out the clients. Clients and clones are cheap, connections are shared.
///
/// Several of these services speak more than one protocol. Where bodies are taken or replaced as JSON
/// (`raw_json`) and the SDK leaves a choice, the protocol is set to JSON, so that a later SDK can't choose another.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// 12-digit account id.
    pub account: String,
    /// ARN of the user, or of the role session.
    pub arn: String,
}

impl Aws {
    /// Takes everything from where AWS SDKs look: environment first, then the shared config files, then
    /// container and instance credentials. In a Lambda function the environment holds it all and no call is
    /// made. `AWS_ENDPOINT_URL` works.
    ///
    /// Never fails: what is missing is reported by the first call that needs it.
    pub async fn connect() -> Self {
        Self { config: config_loader().load().await }
    }

    /// An AWS that runs on this machine and takes a 12-digit access key id as the account to act in.
    pub async fn local(endpoint: &str, account: &str, region: &str) -> Self {
        let credentials = Credentials::new(account, "local", None, None, "local");
        let loader = config_loader().endpoint_url(endpoint).credentials_provider(credentials);
        Self { config: loader.region(Region::new(region.to_owned())).load().await }
    }

    /// The same identity in another Region, for keys and buckets of cross-Region actions.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self { config: self.config.to_builder().region(Region::new(region.to_owned())).build() }
    }

    /// The Region that calls go to; absent if none is configured.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }

    /// Takes on another role, usually in another account. The session lasts 15 minutes and is not renewed.
    ///
    /// `session_name` shows up in the other account's CloudTrail: 2 to 64 characters of `[\w+=,.@-]`.
    ///
    /// # Errors
    /// [`ErrorKind::AccessDenied`](crate::ErrorKind::AccessDenied) if either side does not allow it, or the
    /// role does not exist: STS does not tell them apart.
    /// See <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.
    pub async fn assume_role(&self, role_arn: &str, session_name: &str) -> Result<Self, AwsError> {
        let answer = aws_sdk_sts::Client::new(&self.config)
            .assume_role()
            .role_arn(role_arn)
            .role_session_name(session_name)
            .duration_seconds(SESSION_SECONDS)
            .send()
            .await
            .map_err(AwsError::from_sdk("sts", "AssumeRole"))?;
        let session = answer
            .credentials()
            .ok_or_else(|| AwsError::unexpected("sts", "AssumeRole", "the answer has no credentials"))?;
        let credentials = Credentials::new(
            session.access_key_id(),
            session.secret_access_key(),
            Some(session.session_token().to_owned()),
            (*session.expiration()).try_into().ok(),
            "crosspipe-assume-role",
        );
        let provider = SharedCredentialsProvider::new(credentials);
        Ok(Self { config: self.config.to_builder().credentials_provider(provider).build() })
    }

    /// Who is calling. Needs no permission.
    ///
    /// # Errors
    /// If the credentials are missing or refused.
    /// See <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
    pub async fn identity(&self) -> Result<Identity, AwsError> {
        let answer = aws_sdk_sts::Client::new(&self.config)
            .get_caller_identity()
            .send()
            .await
            .map_err(AwsError::from_sdk("sts", "GetCallerIdentity"))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(AwsError::unexpected("sts", "GetCallerIdentity", "the answer has no account or ARN")),
        }
    }

    /// The stacks of this account and Region.
    #[must_use]
    pub fn cloudformation(&self) -> CloudFormation {
        CloudFormation::new(aws_sdk_cloudformation::Client::new(&self.config))
    }

    /// The builds of this account and Region.
    #[must_use]
    pub fn codebuild(&self) -> CodeBuild {
        let config = aws_sdk_codebuild::config::Builder::from(&self.config);
        let config = config.protocol(Json::aws_json_1_1().with_default_namespace("com.amazonaws.codebuild"));
        CodeBuild::new(aws_sdk_codebuild::Client::from_conf(config.build()))
    }

    /// The deployments of this account and Region.
    #[must_use]
    pub fn codedeploy(&self) -> CodeDeploy {
        let config = aws_sdk_codedeploy::config::Builder::from(&self.config);
        let config = config.protocol(Json::aws_json_1_1().with_default_namespace("com.amazonaws.codedeploy"));
        CodeDeploy::new(aws_sdk_codedeploy::Client::from_conf(config.build()))
    }

    /// The pipelines of this account and Region.
    #[must_use]
    pub fn codepipeline(&self) -> CodePipeline {
        let config = aws_sdk_codepipeline::config::Builder::from(&self.config);
        let config =
            config.protocol(Json::aws_json_1_1().with_default_namespace("com.amazonaws.codepipeline"));
        CodePipeline::new(aws_sdk_codepipeline::Client::from_conf(config.build()))
    }

    /// The clusters of this account and Region.
    #[must_use]
    pub fn ecs(&self) -> Ecs {
        let config = aws_sdk_ecs::config::Builder::from(&self.config);
        let config = config.protocol(Json::aws_json_1_1().with_default_namespace("com.amazonaws.ecs"));
        Ecs::new(aws_sdk_ecs::Client::from_conf(config.build()))
    }

    /// The event buses of this account and Region.
    #[must_use]
    pub fn eventbridge(&self) -> EventBridge {
        EventBridge::new(aws_sdk_eventbridge::Client::new(&self.config))
    }

    /// The roles and policies of this account.
    #[must_use]
    pub fn iam(&self) -> Iam {
        Iam::new(aws_sdk_iam::Client::new(&self.config))
    }

    /// The keys of this Region.
    #[must_use]
    pub fn kms(&self) -> Kms {
        Kms::new(aws_sdk_kms::Client::new(&self.config))
    }

    /// The functions of this account and Region.
    #[must_use]
    pub fn lambda(&self) -> Lambda {
        Lambda::new(aws_sdk_lambda::Client::new(&self.config))
    }

    /// The buckets of this Region.
    #[must_use]
    pub fn s3(&self) -> S3 {
        // Behind another endpoint there is no DNS name for each bucket.
        let path_style = self.config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(path_style).build();
        S3::new(aws_sdk_s3::Client::from_conf(config))
    }

    /// The secrets of this account and Region.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        Secrets::new(aws_sdk_secretsmanager::Client::new(&self.config))
    }

    /// The topics of this account and Region.
    #[must_use]
    pub fn sns(&self) -> Sns {
        Sns::new(aws_sdk_sns::Client::new(&self.config))
    }

    /// The queues of this account and Region.
    #[must_use]
    pub fn sqs(&self) -> Sqs {
        Sqs::new(aws_sdk_sqs::Client::new(&self.config))
    }

    /// The state machines of this account and Region.
    #[must_use]
    pub fn stepfunctions(&self) -> StepFunctions {
        StepFunctions::new(aws_sdk_sfn::Client::new(&self.config))
    }

    /// For invocations that are waited for: one attempt, this long. A second one would run beside the first.
    pub(crate) fn lambda_waiting(&self, wait: Duration) -> aws_sdk_lambda::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(wait)
            .operation_timeout(wait)
            .build();
        let config = aws_sdk_lambda::config::Builder::from(&self.config)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled());
        aws_sdk_lambda::Client::from_conf(config.build())
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }
}

fn config_loader() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS));
    // In the user agent, so that CloudTrail tells Crosspipe's calls from others of the same role.
    match AppName::new("crosspipe") {
        Ok(name) => loader.app_name(name),
        Err(_) => loader,
    }
}

fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}
