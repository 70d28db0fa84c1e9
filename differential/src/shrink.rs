//! Makes a case smaller, as long as something about it stays true.

use serde_json::Value;

/// The smallest case that is found by leaving out one part after the other.
pub(crate) fn shrink(case: &Value, mut still: impl FnMut(&Value) -> bool) -> Value {
    let mut smallest = case.clone();
    loop {
        let smaller = without_one_part(&smallest).into_iter().find(|candidate| still(candidate));
        match smaller {
            Some(candidate) => smallest = candidate,
            None => return smallest,
        }
    }
}

/// Every case that has one member or list entry less, the largest parts first.
fn without_one_part(value: &Value) -> Vec<Value> {
    let mut cases = Vec::new();
    match value {
        Value::Object(members) => {
            for name in members.keys().filter(|name| !is_needed(name)) {
                let mut fewer = members.clone();
                fewer.shift_remove(name);
                cases.push(Value::Object(fewer));
            }
            for (name, member) in members {
                cases.extend(without_one_part(member).into_iter().map(|smaller| {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), smaller);
                    Value::Object(changed)
                }));
            }
        }
        Value::Array(entries) => {
            for index in 0..entries.len() {
                let mut fewer = entries.clone();
                fewer.remove(index);
                // An empty list of actions or values is no policy.
                if !(fewer.is_empty() && entries.iter().all(Value::is_string)) {
                    cases.push(Value::Array(fewer));
                }
            }
            for (index, entry) in entries.iter().enumerate() {
                cases.extend(without_one_part(entry).into_iter().map(|smaller| {
                    let entries = entries.iter().enumerate();
                    let changed =
                        entries.map(|(at, entry)| if at == index { smaller.clone() } else { entry.clone() });
                    Value::Array(changed.collect())
                }));
            }
        }
        _ => {}
    }
    cases
}

/// What makes a request a request, and a statement a statement.
fn is_needed(name: &str) -> bool {
    // What follows from who asks is part of who asks.
    let of_requester = name.starts_with("aws:Principal") && !name.contains('/') || name == "aws:username";
    of_requester
        || matches!(
            name,
            "principal"
                | "context"
                | "action"
                | "resource"
                | "resourceAccount"
                | "Statement"
                | "Effect"
                | "Version"
                | "identityPolicies"
                | "Action"
                | "NotAction"
                | "Resource"
                | "NotResource"
                | "Principal"
                | "NotPrincipal"
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shrinking_keeps_the_request() {
        let case = json!({
            "action": "s3:GetObject",
            "context": {"aws:PrincipalArn": "x", "s3:prefix": "y"},
            "serviceControlPolicies": [[]],
            "identityPolicies": [{"Statement": [{"Effect": "Deny", "Action": ["a", "b"]}, {"Effect": "Allow", "Action": "c"}]}],
        });
        let smallest = shrink(&case, |candidate| candidate.to_string().contains("\"b\""));
        let expected = json!({
            "action": "s3:GetObject",
            "context": {"aws:PrincipalArn": "x"},
            "identityPolicies": [{"Statement": [{"Effect": "Deny", "Action": ["b"]}]}],
        });
        assert_eq!(smallest, expected);
    }
}
