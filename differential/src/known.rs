//! Where the two evaluators are known to differ, and why ours follows AWS's documentation.

use serde_json::Value;

use crate::parts::{
    aws_principals, conditions, context, documents, has_some, statements, statements_of, text, texts,
};

/// A known difference.
pub(crate) struct Difference {
    /// A short name.
    pub name: &'static str,
    /// What differs, and why ours is right.
    pub why: &'static str,
    /// The page of AWS's IAM User Guide.
    pub page: &'static str,
    /// Whether it explains the two answers to a case: ours, then theirs.
    applies: fn(&Value, &str, &str) -> bool,
}

/// Every one.
pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "variable-before-2012",
        why: "Before version 2012-10-17 of the policy language `${…}` is plain text. The other evaluator replaces it in every version.",
        page: "reference_policies_elements_version.html",
        applies: |case, _, _| {
            documents(case)
                .any(|document| document["Version"] != "2012-10-17" && text(document).contains("${"))
        },
    },
    Difference {
        name: "not-principal-in-part",
        why: "Of a `NotPrincipal` that lists the account, the role or the session of the requester, but not all three, AWS says that it might deny. The other evaluator takes any one for all.",
        page: "reference_policies_elements_notprincipal.html",
        applies: |case, ours, _| {
            ours == "unknown" && statements(case).any(|statement| statement.get("NotPrincipal").is_some())
        },
    },
    Difference {
        name: "partition-of-root",
        why: "The root ARN of another partition is another account. The other evaluator compares account ids only.",
        page: "reference-arns.html",
        applies: |case, _, _| {
            let partition = case["principal"].as_str().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
            let other =
                |partition: &str| text(case).contains(&format!("arn:{partition}:iam::111111111111:root"));
            ["aws", "aws-cn", "aws-us-gov"].into_iter().any(|one| one != partition && other(one))
        },
    },
    Difference {
        name: "if-exists-with-for-any-value",
        why: "Of a missing key AWS says that a condition with `IfExists` holds, and that one with `ForAnyValue` does not; of both together nothing. The other evaluator lets `ForAnyValue` win.",
        page: "reference_policies_elements_condition_operators.html#Conditions_IfExists",
        applies: |case, _, _| {
            conditions(case).any(|(operator, key, _)| {
                operator.starts_with("ForAnyValue:")
                    && operator.ends_with("IfExists")
                    && context(case, key).is_none()
            })
        },
    },
    Difference {
        name: "variable-in-arn",
        why: "The colon in `${aws:PrincipalAccount}` does not part an ARN. The other evaluator parts the text before it looks for variables.",
        page: "reference_policies_variables.html#policy-vars-infotouse",
        applies: |case, _, _| {
            conditions(case)
                .any(|(operator, _, wanted)| operator.contains("Arn") && text(wanted).contains("${"))
        },
    },
    Difference {
        name: "several-values-without-set-operator",
        why: "A key with several values needs `ForAnyValue` or `ForAllValues`; what happens without, AWS does not say. One value in a list is to us one value, to the other evaluator it matches nothing.",
        page: "reference_policies_condition-single-vs-multi-valued-context-keys.html",
        applies: |case, _, _| {
            conditions(case).any(|(operator, key, _)| {
                operator != "Null"
                    && !operator.contains(':')
                    && context(case, key).is_some_and(Value::is_array)
            })
        },
    },
    Difference {
        name: "variable-without-value",
        why: "A policy variable without a value makes its text match nothing. What a negated operator or `NotResource` makes of that, AWS does not say.",
        page: "reference_policies_variables.html#policy-vars-no-value",
        applies: |case, ours, _| {
            ours == "unknown"
                && (conditions(case)
                    .any(|(operator, _, wanted)| operator.contains("Not") && text(wanted).contains("${"))
                    || statements(case).any(|statement| text(&statement["NotResource"]).contains("${")))
        },
    },
    Difference {
        name: "address-of-other-family",
        why: "An IPv4 address is not the IPv6 address of a `NotIpAddress`, nor the other way round. The other evaluator finds that for blocks, but not for single addresses.",
        page: "reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        applies: |case, _, _| {
            conditions(case).any(|(operator, key, wanted)| {
                let is_v6 = |text: &str| text.contains("::");
                let asked = context(case, key).and_then(Value::as_str).is_some_and(is_v6);
                operator.starts_with("NotIp")
                    && texts(wanted).any(|wanted| !wanted.contains('/') && is_v6(wanted) != asked)
            })
        },
    },
    Difference {
        name: "session-arn-and-session-policy",
        why: "What a resource policy gives to a session's ARN is not limited by the session's policies. The other evaluator lets them limit everything. Whether it holds across accounts, AWS does not say.",
        page: "access_policies.html#policies_session",
        applies: |case, ours, theirs| {
            let named = |statement: &&Value| {
                aws_principals(statement).any(|name| Some(name) == case["principal"].as_str())
            };
            let grants =
                documents(&case["resourcePolicy"]).flat_map(statements_of).any(|statement| named(&statement));
            grants
                && has_some(case, "sessionPolicies")
                && ours != "implicitlyDenied"
                && theirs == "implicitlyDenied"
        },
    },
    Difference {
        name: "everyone-and-limits",
        why: "AWS says that a boundary and session policies limit what is given to a role's ARN and do not limit what is given to a session's or user's, and nothing of what is given to everyone.",
        page: "reference_policies_evaluation-logic_policy-eval-denyallow.html",
        applies: |case, ours, _| {
            ours == "unknown"
                && (has_some(case, "sessionPolicies") || case.get("permissionsBoundary").is_some())
                && documents(&case["resourcePolicy"]).flat_map(statements_of).any(|statement| {
                    let principal = &statement["Principal"];
                    *principal == "*"
                        || aws_principals(statement).any(|name| name == "*")
                        || statement.get("NotPrincipal").is_some()
                })
        },
    },
    Difference {
        name: "some-session-of-the-role",
        why: "Asked for a role, we answer for all of its sessions; where a statement names one of them, that is not settled. The other evaluator takes the role's ARN for the one who asks, although only sessions ever ask.",
        page: "reference_policies_elements_principal.html#principal-role-session",
        applies: |case, ours, _| {
            let role =
                case["principal"].as_str().and_then(|arn| arn.split_once(":role/")).map(|(_, path)| path);
            let session =
                role.and_then(|path| path.rsplit('/').next()).map(|name| format!(":assumed-role/{name}/"));
            ours == "unknown" && session.is_some_and(|session| text(case).contains(&session))
        },
    },
    Difference {
        name: "block-of-every-address",
        why: "`0.0.0.0/0` is every IPv4 address. The other evaluator shifts by 32 bits, which in its language is no shift, and finds none but 0.0.0.0.",
        page: "reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        applies: |case, _, _| {
            conditions(case).any(|(operator, _, wanted)| {
                operator.contains("IpAddress") && texts(wanted).any(|block| block == "0.0.0.0/0")
            })
        },
    },
    Difference {
        name: "special-character-in-equality",
        why: "`${*}`, `${?}` and `${$}` stand for their characters under every string operator. The other evaluator replaces them under `StringLike` only.",
        page: "reference_policies_variables.html#policy-vars-specialchars",
        applies: |case, _, _| {
            conditions(case).any(|(operator, _, wanted)| {
                operator.contains("String")
                    && operator.contains("Equals")
                    && texts(wanted)
                        .any(|text| ["${*}", "${?}", "${$}"].iter().any(|special| text.contains(special)))
            })
        },
    },
    Difference {
        name: "provider-in-an-account",
        why: "Naming an account names its users and roles. Whom an identity provider vouches for is none of them, in whatever account the provider is set up.",
        page: "reference_policies_elements_principal.html#principal-federated-web-identity",
        applies: |case, _, _| {
            let is_provider =
                case["principal"].as_str().is_some_and(|principal| principal.contains("-provider/"));
            let account =
                case["principal"].as_str().and_then(|arn| arn.split(':').nth(4)).unwrap_or_default();
            is_provider
                && statements(case)
                    .any(|statement| aws_principals(statement).any(|name| name.contains(account)))
        },
    },
    Difference {
        name: "null-of-empty-list",
        why: "`Null` asks whether a key is there and not null. Whether a key with an empty list of values is null, AWS does not say for this operator; the other evaluator takes it as there.",
        page: "reference_policies_elements_condition_operators.html#Conditions_Null",
        applies: |case, _, _| {
            conditions(case).any(|(operator, key, _)| {
                operator == "Null" && context(case, key).and_then(Value::as_array).is_some_and(Vec::is_empty)
            })
        },
    },
];

/// The difference that explains two answers to a case.
pub(crate) fn explanation(case: &Value, ours: &str, theirs: &str) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|difference| (difference.applies)(case, ours, theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_every_difference() {
        let readme = include_str!("../README.md");
        for Difference { name, why, page, .. } in DIFFERENCES {
            let row = format!(
                "| `{name}` | {why} | [{page}](https://docs.aws.amazon.com/IAM/latest/UserGuide/{page}) |"
            );
            assert!(readme.contains(&row), "the README lacks this row:\n{row}");
        }
        assert_eq!(readme.matches("\n| `").count(), DIFFERENCES.len(), "the README lists one that is gone");
    }
}
