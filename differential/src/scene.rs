//! Who asks for what: the request of a case.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// The account of most requesters.
pub(crate) const OWN: &str = "111111111111";
/// The other account.
pub(crate) const OTHER: &str = "222222222222";

/// A request.
pub(crate) struct Scene {
    /// `aws`, `aws-cn`, `aws-us-gov`
    pub partition: &'static str,
    /// Kind of the one who asks.
    pub kind: Kind,
    /// Who asks.
    pub principal: String,
    /// The role or user behind a session.
    pub behind: Option<String>,
    /// The service's prefix.
    pub service: &'static str,
    /// The action's name.
    pub action: &'static str,
    /// The resource's ARN.
    pub resource: String,
    /// Who owns it.
    pub resource_account: &'static str,
    /// Condition keys.
    pub context: Map<String, Value>,
}

/// Kind of a requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A role, no session named.
    Role,
    /// A role's session.
    Session,
    /// A user.
    User,
    /// A user's federated session.
    FederatedUser,
    /// A service.
    Service,
    /// An identity provider's user.
    Federated,
    /// Nobody.
    Anonymous,
}

const ROLES: &[&str] = &["Deploy", "service-role/Build", "a/b/Deep"];
const USERS: &[&str] = &["alice", "team/bob"];
const KEYS: &[&str] = &[
    "MyPipeline/Source/x1",
    "plain",
    "a:b/c:d",
    "with space/ü",
    "alice/home.txt",
    "UPPER/lower",
    "$x/(y)[z].+",
];

impl Scene {
    /// A random request.
    pub(crate) fn new(random: &mut Random) -> Scene {
        let partition = if random.percent(88) { "aws" } else { random.text(&["aws-cn", "aws-us-gov"]) };
        let service = random.text(&["s3", "s3", "kms", "kms", "sts", "iam", "codedeploy"]);
        let kind = kind(service, random);
        let resource_account = if random.percent(55) { OWN } else { OTHER };
        let (principal, behind) = principal(kind, partition, resource_account, random);
        let (action, resource) = target(service, kind, partition, resource_account, random);
        let mut context = who(kind, &principal, behind.as_deref());
        context.extend(crate::conditions::context(random));
        Scene { partition, kind, principal, behind, service, action, resource, resource_account, context }
    }

    /// Whether the requester has identity policies at all.
    pub(crate) fn has_identity(&self) -> bool {
        !matches!(self.kind, Kind::Service | Kind::Federated | Kind::Anonymous)
    }
}

fn kind(service: &str, random: &mut Random) -> Kind {
    match (service, random.below(100)) {
        ("sts", 0..15) => Kind::Federated,
        ("s3", 0..8) => Kind::Anonymous,
        ("s3" | "kms" | "sts", 15..24) => Kind::Service,
        (_, 24..50) => Kind::Role,
        (_, 50..60) => Kind::FederatedUser,
        (_, 60..80) => Kind::User,
        _ => Kind::Session,
    }
}

fn principal(kind: Kind, partition: &str, owner: &str, random: &mut Random) -> (String, Option<String>) {
    let role = random.text(ROLES);
    let user = random.text(USERS);
    let role_arn = format!("arn:{partition}:iam::{OWN}:role/{role}");
    let user_arn = format!("arn:{partition}:iam::{OWN}:user/{user}");
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    match kind {
        Kind::Role => (role_arn, None),
        Kind::Session => {
            (format!("arn:{partition}:sts::{OWN}:assumed-role/{}/s1", name(role)), Some(role_arn))
        }
        Kind::User => (user_arn, None),
        Kind::FederatedUser => {
            let user_arn = format!("arn:{partition}:iam::{OWN}:user/alice");
            (format!("arn:{partition}:sts::{OWN}:federated-user/alice"), Some(user_arn))
        }
        Kind::Service => {
            (random.text(&["codepipeline.amazonaws.com", "codebuild.amazonaws.com"]).to_owned(), None)
        }
        // A role trusts the identity providers of its own account.
        Kind::Federated => {
            let provider = random.text(&["saml-provider/Corp", "oidc-provider/idp.example.com"]);
            (format!("arn:{partition}:iam::{owner}:{provider}"), None)
        }
        Kind::Anonymous => ("*".to_owned(), None),
    }
}

fn target(
    service: &str,
    kind: Kind,
    partition: &str,
    account: &str,
    random: &mut Random,
) -> (&'static str, String) {
    let region = "eu-west-1";
    match service {
        "s3" if random.percent(15) => ("ListBucket", format!("arn:{partition}:s3:::artifacts")),
        "s3" => (
            random.text(&["GetObject", "GetObject", "PutObject", "GetObjectVersion", "DeleteObject"]),
            format!("arn:{partition}:s3:::artifacts/{}", random.text(KEYS)),
        ),
        "kms" if random.percent(6) => ("ListKeys", "*".to_owned()),
        "kms" if random.percent(6) => {
            ("CreateAlias", format!("arn:{partition}:kms:{region}:{account}:alias/mine"))
        }
        "kms" => (
            random.text(&[
                "Decrypt",
                "Encrypt",
                "DescribeKey",
                "GenerateDataKey",
                "GenerateDataKeyWithoutPlaintext",
                "ReEncryptFrom",
                "ReEncryptTo",
                "PutKeyPolicy",
            ]),
            format!("arn:{partition}:kms:{region}:{account}:key/1234abcd-12ab"),
        ),
        "sts" if kind == Kind::Federated => (
            random.text(&["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "TagSession"]),
            format!("arn:{partition}:iam::{account}:role/Target"),
        ),
        "sts" if random.percent(4) => ("GetCallerIdentity", "*".to_owned()),
        "sts" => (
            random.text(&["AssumeRole", "AssumeRole", "TagSession", "SetSourceIdentity"]),
            format!(
                "arn:{partition}:iam::{account}:role/{}",
                random.text(&["Target", "path/Target", "CrossAccount_Role"])
            ),
        ),
        "iam" if random.percent(10) => ("ListRoles", "*".to_owned()),
        "iam" if random.percent(50) => {
            ("PassRole", format!("arn:{partition}:iam::{account}:role/path/Target"))
        }
        "iam" => {
            (random.text(&["GetUser", "DeleteUser"]), format!("arn:{partition}:iam::{account}:user/alice"))
        }
        _ if random.percent(10) => ("ListApplications", "*".to_owned()),
        _ => (
            random.text(&["CreateDeployment", "GetDeployment", "GetDeploymentGroup"]),
            format!("arn:{partition}:codedeploy:{region}:{account}:deploymentgroup:App/Group"),
        ),
    }
}

/// The keys that follow from who asks.
fn who(kind: Kind, principal: &str, behind: Option<&str>) -> Map<String, Value> {
    let mut keys = Map::new();
    keys.insert("aws:PrincipalIsAWSService".into(), json!((kind == Kind::Service).to_string()));
    let principal_type = match kind {
        Kind::Role | Kind::Session => "AssumedRole",
        Kind::User => "User",
        Kind::FederatedUser => "FederatedUser",
        Kind::Anonymous => "Anonymous",
        Kind::Service | Kind::Federated => return keys,
    };
    keys.insert("aws:PrincipalType".into(), json!(principal_type));
    if kind == Kind::Anonymous {
        return keys;
    }
    let arn = if kind == Kind::Session { behind.unwrap_or(principal) } else { principal };
    keys.insert("aws:PrincipalArn".into(), json!(arn));
    keys.insert("aws:PrincipalAccount".into(), json!(OWN));
    if kind == Kind::User {
        keys.insert("aws:username".into(), json!(principal.rsplit('/').next()));
    }
    keys
}
