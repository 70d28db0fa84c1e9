//! Who asks.

use crate::arn::Arn;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// A role, by the role's ARN: some session of it, whose name is not known.
    Role(Arn),
    /// A session of a role, by the session's ARN (`arn:aws:sts::…:assumed-role/Name/session`).
    Session(Arn),
    /// A user, by ARN.
    User(Arn),
    /// The root user of an account, by ARN. It may do what no policy keeps it from doing.
    Root(Arn),
    /// A user's federated session, by ARN (`arn:aws:sts::…:federated-user/name`).
    FederatedUser(Arn),
    /// Somebody whom an identity provider vouches for: the provider's ARN or name.
    Federated(String),
    /// An AWS service, `codepipeline.amazonaws.com`.
    Service(String),
    /// Nobody in particular: the request is not signed.
    Anonymous,
}

impl Requester {
    /// Reads an ARN, a service's name (`….amazonaws.com`), an identity provider's ARN or name, or `*` for
    /// an unsigned request.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, RequesterError> {
        if text == "*" {
            return Ok(Requester::Anonymous);
        }
        let Ok(arn) = Arn::parse(text) else {
            if is_identity_provider(text) {
                return Ok(Requester::Federated(text.to_owned()));
            }
            let is_service = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn");
            return if is_service {
                Ok(Requester::Service(text.to_owned()))
            } else {
                Err(RequesterError(text.to_owned()))
            };
        };
        let kind = arn.resource().split('/').next().unwrap_or_default();
        match (arn.service(), kind) {
            ("iam", "root") => Ok(Requester::Root(arn)),
            ("iam", "role") => Ok(Requester::Role(arn)),
            ("iam", "user") => Ok(Requester::User(arn)),
            ("iam", "saml-provider" | "oidc-provider") => Ok(Requester::Federated(text.to_owned())),
            ("sts", "assumed-role") => Ok(Requester::Session(arn)),
            ("sts", "federated-user") => Ok(Requester::FederatedUser(arn)),
            _ => Err(RequesterError(text.to_owned())),
        }
    }

    /// The account that the requester belongs to; none for services, identity providers and nobody.
    pub fn account(&self) -> Option<&str> {
        self.arn().map(Arn::account)
    }

    /// The ARN, of those that have one.
    pub fn arn(&self) -> Option<&Arn> {
        match self {
            Requester::Role(arn)
            | Requester::Session(arn)
            | Requester::User(arn)
            | Requester::Root(arn)
            | Requester::FederatedUser(arn) => Some(arn),
            Requester::Federated(_) | Requester::Service(_) | Requester::Anonymous => None,
        }
    }

    /// The value of `aws:PrincipalType`.
    pub(super) fn principal_type(&self) -> Option<&'static str> {
        match self {
            Requester::Role(_) | Requester::Session(_) => Some("AssumedRole"),
            Requester::User(_) => Some("User"),
            Requester::Root(_) => Some("Account"),
            Requester::FederatedUser(_) => Some("FederatedUser"),
            Requester::Anonymous => Some("Anonymous"),
            Requester::Federated(_) | Requester::Service(_) => None,
        }
    }
}

/// Whether the text names one of the providers that a trust policy names without an ARN. Cognito's identity
/// pools look like a service and are none.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity>.
fn is_identity_provider(text: &str) -> bool {
    let is_identity_pools = || {
        let (name, domain) = text.split_once('.').unwrap_or_default();
        name.starts_with("cognito-identity") && domain.contains("amazonaws.com")
    };
    matches!(text, "accounts.google.com" | "graph.facebook.com" | "www.amazon.com") || is_identity_pools()
}

/// A text that should have named a requester and does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no requester: {}", Self::HELP, text = .0)]
pub struct RequesterError(String);

impl RequesterError {
    /// What to do about it.
    pub(super) const HELP: &str = "give the ARN of a role, user, session, account root or identity provider, a service such as \
         `codepipeline.amazonaws.com`, or `*` for an unsigned request";
}
