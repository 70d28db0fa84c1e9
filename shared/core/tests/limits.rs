//! docs/limits.md: how large the policies get, and where each form of a grant ends.
//!
//! `CROSSPIPE_WRITE_DOCS=1 cargo test --package crosspipe-core --test limits` writes the page anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crosspipe_core::arn::{self, Arn};
use crosspipe_core::grants::bucket::ArtifactAccess;
use crosspipe_core::grants::grantees::GranteeProperties;
use crosspipe_core::grants::put_checks::PutError;
use crosspipe_core::grants::service_role::{self, TargetRoles};
use crosspipe_core::grants::{Grantees, bucket, key};
use crosspipe_core::owner::Owner;
use crosspipe_core::policy::{Change, PolicyDocument};
use serde_json::json;

const COUNTS: [usize; 5] = [1, 10, 100, 1_000, 5_000];
const ROLE: &str = "CrosspipeTargetRole";

/// How target accounts are named.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Accounts,
    Roles,
    Organization,
}

const FORMS: [(Form, &str); 3] = [
    (Form::Accounts, "`TargetAccounts`"),
    (Form::Roles, "`TargetRoleArns`"),
    (Form::Organization, "`OrganizationId`"),
];

fn owner() -> Owner {
    Owner::new("arn:aws:cloudformation:eu-west-1:111111111111:stack/crosspipe-orders/1", "Grant")
}

fn accounts(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{:012}", 200_000_000_000_usize + index)).collect()
}

fn roles(count: usize) -> Vec<String> {
    accounts(count).iter().map(|account| arn::role("aws", account, ROLE)).collect()
}

fn grantees(form: Form, count: usize) -> Grantees {
    let mut properties = GranteeProperties::default();
    match form {
        Form::Accounts => properties.target_accounts = accounts(count),
        Form::Roles => properties.target_role_arns = roles(count),
        Form::Organization => {
            properties.organization_id = Some("o-a1b2c3d4e5".to_owned());
            properties.target_role_name_pattern = Some(ROLE.to_owned());
        }
    }
    Grantees::new(properties).unwrap()
}

/// The bytes of a policy that is put, or why it is not.
fn size(change: Result<Change, PutError>) -> Result<usize, PutError> {
    match change? {
        Change::Put(document) => Ok(document.to_json().len()),
        other => panic!("{other:?}"),
    }
}

/// A key's policy as it is made, its ARN, and who is to use it.
fn key_and_users(form: Form, count: usize) -> (PolicyDocument, Arn, key::Users) {
    let root = json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "kms:*", "Resource": "*"});
    let live = PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": [root]})).unwrap();
    let [key, service_role] = [
        "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:iam::111111111111:role/service-role/orders",
    ]
    .map(|text| Arn::parse(text).unwrap());
    (live, key, key::Users { service_role, own_roles: vec![], grantees: grantees(form, count) })
}

fn key_policy(form: Form, count: usize) -> Result<usize, PutError> {
    let (live, key, users) = key_and_users(form, count);
    size(key::plan(&live, &key::desired_statements(&owner(), &key, &users)))
}

fn bucket_policy(form: Form, count: usize) -> Result<usize, PutError> {
    let denials =
        bucket::Denials { unencrypted_uploads: true, insecure_transport: true, spares_default: false };
    let bucket = Arn::of_bucket("aws", "orders-artifacts");
    let access = ArtifactAccess { grantees: grantees(form, count), writes: true, prefixes: vec![] };
    size(bucket::plan(None, &bucket::desired_statements(&owner(), &bucket, &access, denials)))
}

fn service_role_policy(form: Form, count: usize) -> Result<usize, PutError> {
    let organization = (form == Form::Organization).then_some("o-a1b2c3d4e5");
    let named = if organization.is_some() { vec![] } else { roles(count) };
    let roles = TargetRoles::new(&named, organization.map(|_| ROLE), organization).unwrap();
    let owned = service_role::desired_statements(&owner(), "aws", &roles);
    size(service_role::plan(&BTreeMap::new(), "Crosspipe-1", &owned))
}

fn owner_number(number: usize) -> Owner {
    Owner::new(format!("arn:aws:cloudformation:eu-west-1:111111111111:stack/crosspipe-{number}/1"), "Grant")
}

/// How often a policy takes further statements, each time of another owner.
fn count_owners(
    mut live: Option<PolicyDocument>,
    plan: impl Fn(Option<&PolicyDocument>, &Owner) -> Result<Change, PutError>,
) -> usize {
    let put = |number: &usize| match plan(live.as_ref(), &owner_number(*number)) {
        Ok(Change::Put(document)) => {
            live = Some(document);
            true
        }
        _ => false,
    };
    (0..).take_while(put).count()
}

fn stacks_of_key(form: Form, accounts: usize) -> usize {
    let (live, key, users) = key_and_users(form, accounts);
    count_owners(Some(live), |live, owner| {
        key::plan(live.unwrap(), &key::desired_statements(owner, &key, &users))
    })
}

fn stacks_of_bucket(form: Form, accounts: usize) -> usize {
    let denials =
        bucket::Denials { unencrypted_uploads: true, insecure_transport: true, spares_default: false };
    let bucket = Arn::of_bucket("aws", "orders-artifacts");
    let access = ArtifactAccess { grantees: grantees(form, accounts), writes: true, prefixes: vec![] };
    count_owners(None, |live, owner| {
        bucket::plan(live, &bucket::desired_statements(owner, &bucket, &access, denials))
    })
}

fn stacks_of_role(form: Form, accounts: usize) -> usize {
    let organization = (form == Form::Organization).then_some("o-a1b2c3d4e5");
    let named = if organization.is_some() { vec![] } else { roles(accounts) };
    let roles = TargetRoles::new(&named, organization.map(|_| ROLE), organization).unwrap();
    let mut policies = BTreeMap::new();
    let put = |number: &usize| {
        let owner = owner_number(*number);
        let owned = service_role::desired_statements(&owner, "aws", &roles);
        match service_role::plan(&policies, &owner.policy_name(), &owned) {
            Ok(Change::Put(document)) => policies.insert(owner.policy_name(), document).is_none(),
            _ => false,
        }
    };
    (0..).take_while(put).count()
}

type Measure = fn(Form, usize) -> Result<usize, PutError>;

/// One table of the page.
struct Table {
    title: &'static str,
    measure: Measure,
    forms: &'static [(Form, &'static str)],
}

const TABLES: [Table; 3] = [
    Table { title: "Key policy: at most 32,768 bytes", measure: key_policy, forms: &FORMS },
    Table { title: "Bucket policy: at most 20,480 bytes", measure: bucket_policy, forms: &FORMS },
    Table {
        title: "Service role, inline policies: at most 10,240 characters",
        measure: service_role_policy,
        forms: &[(Form::Roles, "`TargetRoleArns`"), (Form::Organization, "`OrganizationId`")],
    },
];

/// The largest count that fits; none where any does.
fn most(measure: Measure, form: Form) -> Option<usize> {
    let (mut fits, mut too_many) = (1, 10_000);
    if measure(form, too_many).is_ok() {
        return None;
    }
    while too_many - fits > 1 {
        let middle = fits.midpoint(too_many);
        if measure(form, middle).is_ok() { fits = middle } else { too_many = middle }
    }
    Some(fits)
}

fn page() -> String {
    let mut page = "# Limits\n\n\
        How large the policies get for one pipeline, and where each way to name the target accounts ends. A test measures this\n\
        page. Every form makes one statement with many principals, never a statement for each account.\n"
        .to_owned();
    for Table { title, measure, forms } in TABLES {
        let heads = COUNTS.map(|count| count.to_string()).join(" | ");
        let _ = write!(page, "\n## {title}\n\n| accounts | {heads} | most |\n|---|");
        page.push_str(&"---|".repeat(COUNTS.len() + 1));
        page.push('\n');
        for (form, name) in forms.iter().copied() {
            let cells =
                COUNTS.map(|count| measure(form, count).map_or("refused".to_owned(), |it| it.to_string()));
            let most = most(measure, form).map_or("any number".to_owned(), |most| most.to_string());
            let _ = writeln!(page, "| {name} | {} | {most} |", cells.join(" | "));
        }
    }
    page.push_str(
        "\n## Pipelines that share a store or a service role\n\n\
         Each pipeline's stack has statements of its own, so that it can take back exactly those. As many stacks fit:\n\n\
         | target accounts | key policy | bucket policy | service role |\n|---|---|---|---|\n",
    );
    for (form, count, name) in [
        (Form::Accounts, 10, "10 by `TargetAccounts`"),
        (Form::Roles, 10, "10 by `TargetRoleArns`"),
        (Form::Organization, 1, "any number by `OrganizationId`"),
    ] {
        let (key, bucket) = (stacks_of_key(form, count), stacks_of_bucket(form, count));
        let role = if form == Form::Accounts {
            stacks_of_role(Form::Roles, count)
        } else {
            stacks_of_role(form, count)
        };
        let _ = writeln!(page, "| {name} | {key} | {bucket} | {role} |");
    }
    page.push_str(
        "\nFor more, let one stack of a template of your own have `Custom::ArtifactBucketGrant`, `Custom::ArtifactKeyGrant` and\n\
         `Custom::ServiceRoleGrant` for all of them, and give each pipeline only `Custom::PipelinePatch`. The statements need not name\n\
         pipelines.\n",
    );
    let error = key_policy(Form::Roles, 5_000).unwrap_err();
    let _ = write!(
        page,
        "\n## What is refused\n\nNothing is written where a policy would be too large. The custom resource fails, and says:\n\n> {error}\n\n\
         What others have in the policy counts as well. Beyond these numbers, name the organization instead of accounts.\n\n\
         ## Other limits\n\n\
         - A parameter of a CloudFormation template holds 4,096 bytes: some 300 account ids, or some 80 role ARNs. Custom resources in\n  \
           a template of your own take longer lists.\n\
         - `target-account.yaml` takes 19 service roles and 30 artifact stores, each a bucket and a key, of ordinary length. Beyond that, give\n  \
           patterns, such as `…:role/service-role/AWSCodePipelineServiceRole-*`.\n\
         - `pipeline.yaml` opens the artifact stores of the pipeline's own Region and of up to three further ones. Stores of more need\n  \
           `Custom::ArtifactKeyGrant` and `Custom::ArtifactBucketGrant` in a template of your own, and their keys in `EncryptionKeyArns`.\n\
         - `pipeline.yaml` gives up to five existing actions a role. `Custom::PipelinePatch` takes any number.\n\
         - An item of the lock table holds 400 KB: what is on record of all custom resources of one key, bucket, role or pipeline.\n"
    );
    page
}

#[test]
fn limits_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    let page = page();
    if std::env::var_os("CROSSPIPE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "run with CROSSPIPE_WRITE_DOCS=1 to write it anew");
}
