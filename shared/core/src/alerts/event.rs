//! The detail of an event on EventBridge: a [`Report`](crate::diagnosis::Report) or an alert as JSON.
//!
//! A report's shape is `docs/report.schema.json`.

use serde::Serialize;
use serde_json::Value;

use super::plain::cut_to;

/// An entry of `PutEvents` has up to 262,144 bytes, with its source, type and resources.
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>.
const DETAIL: usize = 240_000;

/// Everything, and where that is too much, as long texts and as many items as there is room for. The shape stays
/// the same; a text that is cut says so, and further items are left out.
pub fn fit_detail(of: &impl Serialize) -> Value {
    let mut detail = serde_json::to_value(of).unwrap_or(Value::Null);
    for (characters, items) in [(20_000, 100), (5_000, 50), (1_000, 20), (200, 10)] {
        if detail.to_string().len() <= DETAIL {
            break;
        }
        shorten_values(&mut detail, characters, items);
    }
    detail
}

fn shorten_values(value: &mut Value, characters: usize, items: usize) {
    match value {
        Value::String(text) => *text = cut_to(text, characters),
        Value::Array(all) => {
            all.truncate(items);
            all.iter_mut().for_each(|item| shorten_values(item, characters, items));
        }
        Value::Object(members) => {
            members.values_mut().for_each(|member| shorten_values(member, characters, items))
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn oversized_detail_is_shortened() {
        let small = json!({"a": "x".repeat(200_000), "b": [1, 2]});
        assert_eq!(fit_detail(&small), small);
        for unit in ["x", "\"", "\u{1}", "\u{1f4a5}"] {
            let finding = json!({"fix": unit.repeat(50_000), "statements": vec![unit.repeat(5_000); 10]});
            let large = json!({"pipeline": "p", "findings": vec![finding; 20]});
            let fitted = fit_detail(&large);
            assert!(fitted.to_string().len() <= DETAIL, "{unit:?}: {}", fitted.to_string().len());
            assert_eq!(fitted["pipeline"], "p");
            assert!(fitted["findings"][0]["fix"].as_str().unwrap().ends_with("characters cut]"));
        }
    }
}
