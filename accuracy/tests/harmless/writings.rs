//! The same policies, written in other ways.

use crosspipe_accuracy::names::resolve;
use serde_json::{Value, json};

use crate::change::*;

/// Other ways to write the same policies down.
pub(crate) const WRITINGS: &[(&str, Change)] = &[
    ("statements in another order", |world| {
        each_policy(world, &|policy| {
            if let Some(statements) = policy["Statement"].as_array_mut() {
                statements.reverse();
            }
        });
    }),
    ("no Sids", |world| {
        each_statement(world, &|statement| drop(statement.as_object_mut().unwrap().shift_remove("Sid")));
    }),
    ("the same Sid everywhere", |world| each_statement(world, &|statement| statement["Sid"] = json!(""))),
    ("lists in place of texts", |world| {
        each_statement(world, &|statement| {
            for member in ["Action", "Resource"] {
                if statement.get(member).is_some_and(Value::is_string) {
                    statement[member] = json!([statement[member]]);
                }
            }
        });
    }),
    ("texts in place of lists of one, one statement in place of a list", |world| {
        each_policy(world, &|policy| {
            if let Some([single]) = policy["Statement"].as_array().map(Vec::as_slice) {
                policy["Statement"] = single.clone();
            }
        });
    }),
    ("actions in lower case", |world| {
        each_statement(world, &|statement| {
            for member in ["Action", "NotAction"] {
                if let Some(actions) = statement.get_mut(member) {
                    *actions = serde_json::from_str(&actions.to_string().to_lowercase()).unwrap();
                }
            }
        });
    }),
    ("no Version", |world| {
        each_policy(world, &|policy| drop(policy.as_object_mut().unwrap().shift_remove("Version")));
    }),
    ("the old Version", |world| each_policy(world, &|policy| policy["Version"] = json!("2008-10-17"))),
    ("bare account ids", |world| {
        for account in ["$A", "$B"].map(resolve) {
            replace(world, &format!("arn:aws:iam::{account}:root"), &account);
        }
    }),
];
