use crosspipe_https::SecretUrl;
use serde_json::Value;

use crate::physical_id::is_usable;
use crate::request::RequestType;
use crate::response::encoded_len;

/// The longest stack, request or logical id that is echoed, in bytes of JSON. CloudFormation's own stay well
/// below; a longer one would leave no room for a reason.
const LONGEST_ID: usize = 400;

/// What is needed to answer a request, taken from the event as leniently as possible: a request that
/// can't be read must be answered all the same, or the stack waits for an hour.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// A presigned URL: whoever has it can answer in our place.
    pub url: SecretUrl,
    pub request_type: Option<RequestType>,
    pub stack_id: Option<String>,
    pub request_id: Option<String>,
    pub logical_id: Option<String>,
    /// The id of the existing resource; none on Create.
    pub physical_id: Option<String>,
}

impl Envelope {
    /// Opens an event, or says why it can't be answered.
    pub(crate) fn open(event: &Value) -> Result<Self, &'static str> {
        let text = |field: &str| event.get(field).and_then(Value::as_str).map(str::to_owned);
        let id = |field: &str| text(field).filter(|id| !id.is_empty() && encoded_len(id) <= LONGEST_ID);
        let request_type = text("RequestType").as_deref().and_then(RequestType::parse);
        Ok(Self {
            url: SecretUrl::parse(&text("ResponseURL").ok_or("it is missing")?, "[ResponseURL]")?,
            request_type,
            stack_id: id("StackId"),
            request_id: id("RequestId"),
            logical_id: id("LogicalResourceId"),
            physical_id: text("PhysicalResourceId")
                .filter(|id| request_type != Some(RequestType::Create) && is_usable(id)),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://responses.s3.amazonaws.com/arn%3Aaws%3Astack/1%7CKey%7C2?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1700000000&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D";

    #[test]
    fn opens_what_can_be_answered() {
        assert!(Envelope::open(&json!(null)).is_err());
        assert!(Envelope::open(&json!({"StackId": "s"})).is_err());
        let envelope = Envelope::open(&json!({"ResponseURL": URL, "StackId": 7, "RequestId": "r",
            "LogicalResourceId": "x".repeat(500), "RequestType": "Create", "PhysicalResourceId": "p"}))
        .unwrap();
        assert_eq!(envelope.request_id.as_deref(), Some("r"));
        assert_eq!((envelope.stack_id, envelope.logical_id, envelope.physical_id), (None, None, None));
    }
}
