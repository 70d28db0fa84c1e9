//! Something remembered between invocations, in the table of [`crate::lease`].
//!
//! A row has the text in `Remembered` and expires when nobody has asked for it for long. Reading refreshes that,
//! by the same `UpdateItem` that everything else needs. Writers of one row take turns by a lease; keys must
//! differ from those of leases and claims.

use std::time::SystemTime;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use crate::{
    error::AwsError,
    lease::{Leases, OPERATION, SERVICE, seconds_up},
};

impl Leases {
    /// What was remembered under `key`; nothing if it never was, or expired. Kept until `until` from now on.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn recall(&self, key: &str, until: SystemTime) -> Result<Option<String>, AwsError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("LockKey", AttributeValue::S(key.to_owned()))
            .update_expression("SET ExpiresAt = :expires")
            .expression_attribute_values(":expires", AttributeValue::N(seconds_up(until).to_string()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        let remembered = answer.attributes.and_then(|mut row| row.remove("Remembered"));
        Ok(remembered.and_then(|text| text.as_s().ok().cloned()))
    }

    /// Remembers `text` under `key` until `until`, in place of what was.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn remember(&self, key: &str, text: &str, until: SystemTime) -> Result<(), AwsError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("LockKey", AttributeValue::S(key.to_owned()))
            .update_expression("SET Remembered = :text, ExpiresAt = :expires")
            .expression_attribute_values(":text", AttributeValue::S(text.to_owned()))
            .expression_attribute_values(":expires", AttributeValue::N(seconds_up(until).to_string()))
            .send()
            .await
            .map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        Ok(())
    }
}
