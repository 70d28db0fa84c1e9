//! The one error of every AWS call.

use std::{error::Error, fmt, iter};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A failed AWS call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct AwsError {
    /// IAM prefix of the service, such as `kms`.
    pub service: &'static str,
    /// API operation, such as `GetKeyPolicy`.
    pub operation: &'static str,
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// AWS's error code; absent if no answer came or the answer named none.
    pub code: Option<String>,
    /// AWS's message, or the chain of causes if no answer came.
    pub message: String,
    /// For a support case.
    pub request_id: Option<String>,
}

/// What a caller can do about an [`AwsError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The thing asked for does not exist.
    NotFound,
    /// The caller is not allowed, or its credentials were refused.
    AccessDenied,
    /// Too many calls; the SDK's own retries were not enough.
    Throttled,
    /// Somebody else is changing the same thing; read it again and retry.
    Conflict,
    /// The request can never succeed as it is.
    Invalid,
    /// AWS failed or could not be reached in time.
    Unavailable,
    /// None of the above.
    Other,
}

/// How codes end that say so; each service has its own way.
const NOT_FOUND: [&str; 5] =
    ["NotFound", "NotFoundError", "NotFoundException", "DoesNotExist", "DoesNotExistException"];

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}:{}` failed: ", self.service, self.operation)?;
        match &self.code {
            Some(code) if self.message.is_empty() => f.write_str(code),
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl AwsError {
    /// Converts the SDK's error; made for `map_err`.
    pub(crate) fn from_sdk<E>(
        service: &'static str,
        operation: &'static str,
    ) -> impl FnOnce(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        move |error| {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let code = error.code().map(str::to_owned);
            let kind = match &error {
                SdkError::TimeoutError(_) => ErrorKind::Unavailable,
                SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
                    ErrorKind::Unavailable
                }
                // Nobody knows what an answer says that broke off.
                SdkError::ResponseError(_) => ErrorKind::Unavailable,
                SdkError::ConstructionFailure(_) => ErrorKind::Invalid,
                _ => ErrorKind::classify(code.as_deref(), status),
            };
            let message = match (error.message(), status) {
                (Some(message), _) => message.to_owned(),
                (None, Some(_)) if code.is_some() => String::new(),
                (None, Some(status)) if matches!(error, SdkError::ServiceError(_)) => {
                    format!("HTTP status {status} without an error code")
                }
                (None, Some(status)) => format!("HTTP status {status}: {}", format_causes(&error)),
                (None, None) => format_causes(&error),
            };
            let request_id = error.raw_response().and_then(|response| {
                let headers = response.headers();
                headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id")).map(str::to_owned)
            });
            Self { service, operation, kind, code, message, request_id }
        }
    }

    /// An answer that AWS's documentation says can't be.
    pub(crate) fn unexpected(
        service: &'static str,
        operation: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self { service, operation, kind: ErrorKind::Other, code: None, message, request_id: None }
    }

    /// Whether AWS answered with exactly this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl ErrorKind {
    /// Classifies by error code, and by HTTP status where the code says nothing.
    ///
    /// Codes: the "Errors" section of each operation's API reference, and
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>.
    pub(crate) fn classify(code: Option<&str>, status: Option<u16>) -> Self {
        code.and_then(Self::of_code).or_else(|| status.map(Self::of_status)).unwrap_or(Self::Other)
    }

    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "AccessDenied"
            | "AccessDeniedException"
            | "AllAccessDisabled"
            | "AuthorizationError"
            | "AuthorizationErrorException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "InvalidToken"
            | "NotAuthorized"
            | "SignatureDoesNotMatch"
            | "UnauthorizedOperation"
            | "UnrecognizedClientException" => Self::AccessDenied,

            "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown"
            | "ThrottledException"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequestsException" => Self::Throttled,

            "ConcurrentModification"
            | "ConcurrentModificationException"
            | "ConditionalCheckFailedException"
            | "ConflictException"
            | "EntityTemporarilyUnmodifiable"
            | "OperationAborted"
            | "TransactionConflictException"
            | "TransactionInProgressException" => Self::Conflict,

            "DependencyTimeout"
            | "DependencyTimeoutException"
            | "InternalError"
            | "InternalException"
            | "InternalFailure"
            | "InternalServerError"
            | "KMSInternal"
            | "KMSInternalException"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "ServiceFailure"
            | "ServiceUnavailable"
            | "ServiceUnavailableException" => Self::Unavailable,

            // States and quotas that no retry changes, though their HTTP status (409) says conflict.
            "DisabledException"
            | "KMSInvalidStateException"
            | "LimitExceeded"
            | "LimitExceededException"
            | "UnmodifiableEntity"
            | "UnsupportedOperationException"
            | "ValidationError"
            | "ValidationException" => Self::Invalid,

            _ if code.starts_with("NoSuch") => Self::NotFound,
            _ if NOT_FOUND.iter().any(|end| code.ends_with(end)) => Self::NotFound,
            _ if code.starts_with("Invalid") || code.starts_with("Malformed") => Self::Invalid,
            _ => return None,
        })
    }

    fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::AccessDenied,
            404 | 410 => Self::NotFound,
            408 | 500..=599 => Self::Unavailable,
            409 | 412 => Self::Conflict,
            429 => Self::Throttled,
            400..=499 => Self::Invalid,
            _ => Self::Other,
        }
    }
}

/// The error and its causes, without the requests and answers that the SDK's own context display prints.
fn format_causes(error: &(dyn Error + 'static)) -> String {
    let chain = iter::successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use aws_sdk_kms::operation::get_key_policy::GetKeyPolicyError;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    #[test]
    fn missing_answer_says_why() {
        let refused = ConnectorError::io(io::Error::other("connection refused").into());
        let no_credentials = ConnectorError::other("no credentials".into(), None);
        for (cause, kind, text) in [
            (refused, ErrorKind::Unavailable, "connection refused"),
            (no_credentials, ErrorKind::Other, "no credentials"),
        ] {
            let error = SdkError::<GetKeyPolicyError, _>::dispatch_failure(cause);
            let error = AwsError::from_sdk("kms", "GetKeyPolicy")(error);
            assert_eq!((error.kind, &error.code), (kind, &None));
            assert!(error.message.ends_with(text), "{error}");
        }
    }

    #[test]
    fn the_code_decides() {
        for (code, kind) in [
            ("AccessDeniedException", ErrorKind::AccessDenied),
            ("InvalidClientTokenId", ErrorKind::AccessDenied),
            ("NoSuchEntity", ErrorKind::NotFound),
            ("NoSuchBucketPolicy", ErrorKind::NotFound),
            ("PipelineNotFoundException", ErrorKind::NotFound),
            ("DeploymentDoesNotExistException", ErrorKind::NotFound),
            ("ExecutionDoesNotExist", ErrorKind::NotFound),
            ("ServerSideEncryptionConfigurationNotFoundError", ErrorKind::NotFound),
            ("ThrottlingException", ErrorKind::Throttled),
            ("OperationAborted", ErrorKind::Conflict),
            ("ConcurrentModificationException", ErrorKind::Conflict),
            ("MalformedPolicyDocumentException", ErrorKind::Invalid),
            ("InvalidStructureException", ErrorKind::Invalid),
            ("LimitExceeded", ErrorKind::Invalid),
            ("KMSInternalException", ErrorKind::Unavailable),
        ] {
            // The status contradicts on purpose.
            assert_eq!(ErrorKind::classify(Some(code), Some(418)), kind, "{code}");
        }
    }

    #[test]
    fn status_decides_without_code() {
        assert_eq!(ErrorKind::classify(None, Some(403)), ErrorKind::AccessDenied);
        assert_eq!(ErrorKind::classify(None, Some(404)), ErrorKind::NotFound);
        assert_eq!(ErrorKind::classify(Some("BrandNew"), Some(503)), ErrorKind::Unavailable);
        assert_eq!(ErrorKind::classify(Some("BrandNew"), Some(409)), ErrorKind::Conflict);
        assert_eq!(ErrorKind::classify(Some("BrandNew"), None), ErrorKind::Other);
        assert_eq!(ErrorKind::classify(None, Some(301)), ErrorKind::Other);
    }

    #[test]
    fn error_names_call_and_message() {
        let error = AwsError {
            service: "kms",
            operation: "GetKeyPolicy",
            kind: ErrorKind::AccessDenied,
            code: Some("AccessDeniedException".into()),
            message: "no identity-based policy allows it".into(),
            request_id: None,
        };
        assert_eq!(
            error.to_string(),
            "`kms:GetKeyPolicy` failed: AccessDeniedException: no identity-based policy allows it"
        );
    }
}
