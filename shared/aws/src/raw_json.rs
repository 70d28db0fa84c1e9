//! JSON bodies as they are on the wire.
//!
//! The SDK's structs know the fields of the day they were generated and drop the rest. Where everything must
//! survive (`UpdatePipeline` replaces the whole pipeline) or be printed as the AWS CLI prints it, the SDK signs,
//! sends and retries, and these two interceptors take and place the body itself.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut},
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use serde_json::Value;

use crate::error::AwsError;

/// Keeps the body of the last answer.
#[derive(Clone, Default)]
pub(crate) struct CaptureBody(Arc<Mutex<Vec<u8>>>);

/// Sends this body instead of the one that was serialized.
pub(crate) struct ReplaceBody(Vec<u8>);

impl CaptureBody {
    /// The captured body, parsed.
    pub(crate) fn json(&self, service: &'static str, operation: &'static str) -> Result<Value, AwsError> {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&body).map_err(|error| {
            AwsError::unexpected(service, operation, format!("the answer is not JSON: {error}"))
        })
    }

    /// One member of the captured body's top level.
    pub(crate) fn member(
        &self,
        service: &'static str,
        operation: &'static str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let mut body = self.json(service, operation)?;
        body.get_mut(name)
            .map(Value::take)
            .ok_or_else(|| AwsError::unexpected(service, operation, format!("the answer has no `{name}`")))
    }

    /// A list of the captured body's top level; one that is left out is empty.
    pub(crate) fn list(
        &self,
        service: &'static str,
        operation: &'static str,
        name: &str,
    ) -> Result<Vec<Value>, AwsError> {
        match self.json(service, operation)?.get_mut(name).map(Value::take) {
            Some(Value::Array(list)) => Ok(list),
            None | Some(Value::Null) => Ok(vec![]),
            Some(_) => Err(AwsError::unexpected(service, operation, format!("`{name}` is no list"))),
        }
    }
}

impl ReplaceBody {
    pub(crate) fn new(body: &Value) -> Self {
        Self(body.to_string().into_bytes())
    }
}

impl Intercept for CaptureBody {
    fn name(&self) -> &'static str {
        "CaptureBody"
    }

    /// The first hook that sees the whole body: until deserialization it is a stream.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default().to_vec();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
        Ok(())
    }
}

impl Intercept for ReplaceBody {
    fn name(&self) -> &'static str {
        "ReplaceBody"
    }

    /// Before signing, and before the copy is made from which every attempt starts.
    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("content-length", self.0.len().to_string());
        *request.body_mut() = SdkBody::from(self.0.clone());
        Ok(())
    }
}

// A pipeline's action configuration can hold tokens: never print a body.
impl fmt::Debug for CaptureBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaptureBody")
    }
}

impl fmt::Debug for ReplaceBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplaceBody")
    }
}
