//! What must hold for every policy document that AWS accepts.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crosspipe_core::arn::Arn;
use crosspipe_core::grants::bucket::ArtifactAccess;
use crosspipe_core::grants::grantees::GranteeProperties;
use crosspipe_core::grants::{Grantees, bucket, key};
use crosspipe_core::owner::Owner;
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument, meaning};
use crosspipe_testing::{authorization, policies};
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(value: Value) -> PolicyDocument {
    PolicyDocument::from_value(value).unwrap()
}

fn owner(logical_id: &str) -> Owner {
    Owner::new("arn:aws:cloudformation:eu-west-1:111111111111:stack/tools/1", logical_id)
}

fn grantees(account: &str) -> Grantees {
    let target_accounts = vec![account.to_owned()];
    Grantees::new(GranteeProperties { target_accounts, ..Default::default() }).unwrap()
}

fn on_bucket(owner: &Owner, account: &str) -> OwnedStatements {
    let denials =
        bucket::Denials { unencrypted_uploads: true, insecure_transport: true, spares_default: false };
    let access = ArtifactAccess { grantees: grantees(account), writes: true, prefixes: vec![] };
    bucket::desired_statements(owner, &Arn::of_bucket("aws", "artifacts"), &access, denials)
}

/// The document after the change; None when there is none left.
fn after(change: Change, before: Option<&PolicyDocument>) -> Option<PolicyDocument> {
    match change {
        Change::None => before.cloned(),
        Change::Put(document) => Some(document),
        Change::Delete => None,
    }
}

/// The statements that are not ours, in order, as they stand.
fn foreign(document: &PolicyDocument, owned: &[&OwnedStatements]) -> Vec<Value> {
    let ours: Vec<&str> = owned.iter().flat_map(|owned| owned.desired_sids()).collect();
    let statements =
        document.statements().filter(|statement| !statement.sid().is_some_and(|sid| ours.contains(&sid)));
    statements.map(|statement| Value::Object(statement.raw().clone())).collect()
}

/// What custom resources write, held against the Service Authorization Reference.
#[test]
fn granted_statements_can_apply() {
    let by_organization = Grantees::new(GranteeProperties {
        organization_id: Some("o-a1b2c3d4e5".to_owned()),
        target_role_name_pattern: Some("Deploy*".to_owned()),
        ..Default::default()
    });
    let [arn, role] = ["arn:aws:kms:eu-west-1:111111111111:key/1", "arn:aws:iam::111111111111:role/service"]
        .map(|text| Arn::parse(text).unwrap());
    let root =
        json!({"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "kms:*", "Resource": "*"});
    let live = document(json!({"Version": "2012-10-17", "Statement": [root]}));
    let whole: &[&str] = &[];
    let of_grantees = [grantees("222222222222"), by_organization.unwrap()];
    for (grantees, prefixes) in of_grantees.iter().flat_map(|it| [(it, whole), (it, &["orders/"])]) {
        let users = key::Users {
            service_role: role.clone(),
            own_roles: vec![role.clone()],
            grantees: grantees.clone(),
        };
        let denials =
            bucket::Denials { unencrypted_uploads: true, insecure_transport: true, spares_default: true };
        let of_key = key::desired_statements(&owner("Key"), &arn, &users);
        let bucket_arn = Arn::of_bucket("aws", "artifacts");
        let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        let access = ArtifactAccess { grantees: grantees.clone(), writes: true, prefixes };
        let of_bucket = bucket::desired_statements(&owner("Bucket"), &bucket_arn, &access, denials);
        let written = [key::plan(&live, &of_key).unwrap(), bucket::plan(None, &of_bucket).unwrap()];
        for policy in written.into_iter().filter_map(|change| after(change, None)) {
            let policy = policy.to_value();
            let statements = policy["Statement"].as_array().unwrap();
            assert!(statements.len() > 1, "{policy}");
            for statement in statements {
                assert_eq!(authorization::problems(statement), Vec::<String>::new(), "{statement}");
            }
        }
    }
}

proptest! {
    #[test]
    fn parse_print_identity(value in policies::document()) {
        let text = value.to_string();
        let parsed = PolicyDocument::parse(&text).unwrap();
        prop_assert_eq!(parsed.to_value(), value);
        prop_assert_eq!(parsed.to_json(), text);
    }

    #[test]
    fn what_aws_rewrites_means_the_same(value in policies::document()) {
        let rewritten = document(policies::rewritten_by_aws(&value));
        prop_assert!(meaning::have_same_meaning(&document(value), &rewritten));
    }

    #[test]
    fn grant_is_idempotent_after_rewrite(value in policies::document()) {
        let owned = on_bucket(&owner("Bucket"), "222222222222");
        let Change::Put(granted) = owned.plan(Some(&document(value))) else { panic!("nothing granted") };
        prop_assert_eq!(owned.plan(Some(&granted)), Change::None);
        let rewritten = document(policies::rewritten_by_aws(&granted.to_value()));
        prop_assert_eq!(owned.plan(Some(&rewritten)), Change::None);
        prop_assert!(owned.are_in(&rewritten));
    }

    #[test]
    fn revoke_restores_original(value in policies::document()) {
        let (original, owner) = (document(value), owner("Bucket"));
        let granted = after(on_bucket(&owner, "222222222222").plan(Some(&original)), Some(&original));
        let revoked = after(bucket::no_statements(&owner).plan(granted.as_ref()), granted.as_ref());
        // A policy without a statement can't be saved, so it goes instead.
        match original.statements().next() {
            Some(_) => prop_assert!(meaning::have_same_meaning(&revoked.unwrap(), &original)),
            None => prop_assert_eq!(revoked, None),
        }
    }

    #[test]
    fn foreign_statements_keep_content_and_order(value in policies::document()) {
        let original = document(value);
        let (first, second) = (on_bucket(&owner("One"), "222222222222"), on_bucket(&owner("Two"), "333333333333"));
        let changed = on_bucket(&owner("One"), "444444444444");
        let mut current = Some(original.clone());
        for owned in [&first, &second, &changed] {
            current = after(owned.plan(current.as_ref()), current.as_ref());
            prop_assert_eq!(foreign(current.as_ref().unwrap(), &[&first, &second]), foreign(&original, &[]));
        }
        let current = current.unwrap();
        prop_assert!(changed.are_in(&current) && second.are_in(&current) && !first.are_in(&current));
    }
}

#[test]
fn bucket_policy_comes_and_goes() {
    let owner = owner("Bucket");
    let Change::Put(created) = bucket::plan(None, &on_bucket(&owner, "222222222222")).unwrap() else {
        panic!()
    };
    assert_eq!(created.statements().count(), 4);
    assert_eq!(bucket::plan(Some(&created), &bucket::no_statements(&owner)).unwrap(), Change::Delete);
    assert_eq!(bucket::plan(None, &bucket::no_statements(&owner)).unwrap(), Change::None);
}

#[test]
fn invalid_policies_are_refused() {
    let root =
        json!({"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "kms:*", "Resource": "*"});
    let [arn, role] = ["arn:aws:kms:eu-west-1:111111111111:key/k", "arn:aws:iam::111111111111:role/pipeline"]
        .map(|text| Arn::parse(text).unwrap());
    let users = key::Users { service_role: role, own_roles: vec![], grantees: grantees("222222222222") };
    let owned = key::desired_statements(&owner("Key"), &arn, &users);
    let plan = |statements: Value| {
        key::plan(&document(json!({"Version": "2012-10-17", "Statement": statements})), &owned)
    };

    assert!(matches!(plan(json!([root])), Ok(Change::Put(_))));
    let dead = json!({"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": ["111111111111", "AROAEXAMPLEEXAMPLE12"]}, "Action": "kms:*", "Resource": "*"});
    let error = plan(json!([root, dead])).unwrap_err().to_string();
    assert!(error.contains("statement `Old`") && error.contains("AROAEXAMPLEEXAMPLE12"), "{error}");
    let large = json!({"Sid": "x".repeat(33_000), "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
    let error = plan(json!([root, large])).unwrap_err().to_string();
    assert!(error.contains("32768"), "{error}");
    let error =
        plan(json!([{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]))
            .unwrap_err();
    assert!(error.to_string().contains("kms:PutKeyPolicy"), "{error}");
    // Revoking the only statement of a key policy is a lockout, never a deletion.
    let only_ours = key::plan(&document(json!({"Statement": []})), &owned);
    assert!(only_ours.is_err());
}

#[test]
fn bad_grantees_name_the_field() {
    let check = |properties: GranteeProperties, field: &str, fault: &str| {
        let error = Grantees::new(properties).unwrap_err();
        assert!(error.field == field && error.to_string().contains(fault), "{error}");
    };
    let base = GranteeProperties::default;
    let some = |text: &str| Some(text.to_owned());
    let list = |text: &str| vec![text.to_owned()];
    check(base(), "TargetAccounts", "names nobody");
    check(
        GranteeProperties { target_accounts: list("12345678901"), ..base() },
        "TargetAccounts",
        "11 digits",
    );
    check(
        GranteeProperties { target_role_arns: list("arn:aws:iam::2:role/x"), ..base() },
        "TargetRoleArns",
        "12-digit",
    );
    check(
        GranteeProperties { target_role_arns: list("arn:aws:iam::222222222222:role/*"), ..base() },
        "TargetRoleArns",
        "wildcard",
    );
    check(
        GranteeProperties { organization_id: some("o-a1b2c3d4e5"), ..base() },
        "TargetRoleNamePattern",
        "missing",
    );
    check(
        GranteeProperties { target_role_name_pattern: some("x"), ..base() },
        "TargetRoleNamePattern",
        "no organization",
    );
    for pattern in ["*", "?rosspipe", "*Target", "team/*", "/Deploy", "team//Deploy"] {
        let everyone = GranteeProperties {
            organization_id: some("o-a1b2c3d4e5"),
            target_role_name_pattern: some(pattern),
            ..base()
        };
        check(everyone, "TargetRoleNamePattern", "roles of any name");
    }
    let elsewhere = GranteeProperties {
        organization_id: some("o-a1b2c3d4e5"),
        organization_paths: list("o-zzzzzzzzzz/r-ab12/*"),
        target_role_name_pattern: some("Deploy"),
        ..base()
    };
    check(elsewhere, "OrganizationPaths", "not of the organization");
}
