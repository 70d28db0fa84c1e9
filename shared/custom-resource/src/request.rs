use std::fmt;

use serde_json::{Map, Value};

use crate::Failure;

/// What CloudFormation wants done with the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestType {
    /// Make it.
    Create,
    /// Bring it from the old properties to the new ones.
    Update,
    /// Remove it; what is gone already is removed.
    Delete,
}

impl RequestType {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "Create" => Some(Self::Create),
            "Update" => Some(Self::Update),
            "Delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

impl fmt::Display for RequestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A [custom-resource request][docs], without the `ResponseURL`: a handler has no use for that.
///
/// [docs]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
#[derive(Clone, PartialEq)]
pub struct Request {
    request_type: RequestType,
    stack_id: String,
    request_id: String,
    logical_id: String,
    resource_type: String,
    physical_id: Option<String>,
    properties: Map<String, Value>,
    old_properties: Option<Map<String, Value>>,
}

impl Request {
    /// Reads a request from the event that the function was invoked with.
    ///
    /// # Errors
    /// Names the first field that is missing or of the wrong form.
    pub fn parse(event: Value) -> Result<Self, Failure> {
        let Value::Object(mut event) = event else {
            return Err(malformed_request("the event is not a JSON object"));
        };
        let request_type = required_text(&event, "RequestType")?;
        let request_type = RequestType::parse(&request_type).ok_or_else(|| {
            let found: String = request_type.chars().take(40).collect();
            malformed_request(format!("`RequestType` is `{found}`, expected `Create`, `Update` or `Delete`"))
        })?;
        Ok(Self {
            request_type,
            stack_id: required_text(&event, "StackId")?,
            request_id: required_text(&event, "RequestId")?,
            logical_id: required_text(&event, "LogicalResourceId")?,
            resource_type: required_text(&event, "ResourceType")?,
            physical_id: match request_type {
                RequestType::Create => None,
                RequestType::Update | RequestType::Delete => {
                    Some(required_text(&event, "PhysicalResourceId")?)
                }
            },
            properties: optional_object(&mut event, "ResourceProperties")?.unwrap_or_default(),
            old_properties: optional_object(&mut event, "OldResourceProperties")?,
        })
    }

    /// What is to be done.
    pub fn request_type(&self) -> RequestType {
        self.request_type
    }

    /// The ARN of the stack.
    pub fn stack_id(&self) -> &str {
        &self.stack_id
    }

    /// The id of this request; the same one can arrive more than once, since Lambda retries.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The resource's name in the template.
    pub fn logical_id(&self) -> &str {
        &self.logical_id
    }

    /// The resource's type in the template, such as `Custom::Something`.
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// The id of the existing resource: none on Create.
    pub fn physical_id(&self) -> Option<&str> {
        self.physical_id.as_deref()
    }

    /// The resource's properties, `ServiceToken` included. Scalars arrive as strings.
    pub fn properties(&self) -> &Map<String, Value> {
        &self.properties
    }

    /// The properties before an Update.
    pub fn old_properties(&self) -> Option<&Map<String, Value>> {
        self.old_properties.as_ref()
    }
}

/// Values can be secret, so only the names of the properties are shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("request_type", &self.request_type)
            .field("stack_id", &self.stack_id)
            .field("request_id", &self.request_id)
            .field("logical_id", &self.logical_id)
            .field("resource_type", &self.resource_type)
            .field("physical_id", &self.physical_id)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn required_text(event: &Map<String, Value>, field: &str) -> Result<String, Failure> {
    match event.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        None | Some(Value::Null | Value::String(_)) => {
            Err(malformed_request(format!("`{field}` is missing from the request")))
        }
        Some(_) => Err(malformed_request(format!("`{field}` of the request is not a string"))),
    }
}

fn optional_object(
    event: &mut Map<String, Value>,
    field: &str,
) -> Result<Option<Map<String, Value>>, Failure> {
    match event.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(_) => Err(malformed_request(format!("`{field}` of the request is not an object"))),
    }
}

fn malformed_request(cause: impl Into<String>) -> Failure {
    Failure::new(cause, "have CloudFormation itself invoke the function, through `ServiceToken`")
        .see("https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn update() -> Value {
        json!({"RequestType": "Update", "ResponseURL": "https://secret.example/?Signature=s3cret",
            "StackId": "stack", "RequestId": "request", "LogicalResourceId": "Key",
            "ResourceType": "Custom::Key", "PhysicalResourceId": "key", "Extra": [1],
            "ResourceProperties": {"ServiceToken": "arn", "Password": "hunter2"},
            "OldResourceProperties": {"Password": "hunter1"}})
    }

    #[test]
    fn reads_an_update() {
        let request = Request::parse(update()).unwrap();
        assert_eq!(request.request_type(), RequestType::Update);
        assert_eq!((request.stack_id(), request.request_id()), ("stack", "request"));
        assert_eq!((request.logical_id(), request.resource_type()), ("Key", "Custom::Key"));
        assert_eq!(request.physical_id(), Some("key"));
        assert_eq!(request.properties()["Password"], "hunter2");
        assert_eq!(request.old_properties().unwrap()["Password"], "hunter1");
    }

    #[test]
    fn debug_shows_neither_url_nor_values() {
        let shown = format!("{:?} {0:#?}", Request::parse(update()).unwrap());
        assert!(shown.contains("Password") && shown.contains("stack"), "{shown}");
        for secret in ["hunter", "secret", "arn"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn names_the_missing_field() {
        for field in
            ["RequestType", "StackId", "RequestId", "LogicalResourceId", "ResourceType", "PhysicalResourceId"]
        {
            for odd in [None, Some(json!(null)), Some(json!("")), Some(json!(7))] {
                let mut event = update();
                event.as_object_mut().unwrap().remove(field);
                if let Some(odd) = odd {
                    event[field] = odd;
                }
                let failure = Request::parse(event).unwrap_err();
                assert!(failure.cause.contains(&format!("`{field}`")), "{failure:?}");
            }
        }
        assert!(Request::parse(json!([])).is_err());
    }

    #[test]
    fn properties_must_be_an_object() {
        let mut event = update();
        event["ResourceProperties"] = json!("text");
        assert!(Request::parse(event.clone()).unwrap_err().cause.contains("`ResourceProperties`"));
        event.as_object_mut().unwrap().remove("ResourceProperties");
        assert!(Request::parse(event).unwrap().properties().is_empty());
    }

    #[test]
    fn a_create_has_no_physical_id() {
        let mut event = update();
        event["RequestType"] = json!("Create");
        assert_eq!(Request::parse(event).unwrap().physical_id(), None);
    }
}
