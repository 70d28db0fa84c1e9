//! Amazon Resource Names and account ids.

use std::fmt::{self, Display};

/// An ARN: `arn:partition:service:region:account:resource`.
///
/// The parts are kept as they stand; an empty Region or account is normal (S3 buckets, IAM).
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    text: String,
    /// Byte offset just behind each of the first five colons.
    starts: [usize; 5],
}

impl Arn {
    /// Reads an ARN.
    ///
    /// # Errors
    /// When the text does not start with `arn:` or has fewer than six parts.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let parts = Arn::parts(text).ok_or_else(|| ArnError(text.to_owned()))?;
        let mut from = "arn:".len();
        let starts = parts.map(|part| {
            let start = from;
            from += part.len() + 1;
            start
        });
        Ok(Arn { text: text.to_owned(), starts })
    }

    /// The ARN of a bucket.
    pub fn of_bucket(partition: &str, name: &str) -> Self {
        let text = format!("arn:{partition}:s3:::{name}");
        let region = "arn:".len() + partition.len() + ":s3:".len();
        let starts = ["arn:".len(), region - "s3:".len(), region, region + 1, region + 2];
        Arn { text, starts }
    }

    /// The parts of a text that [`Arn::parse`] would read: partition, service, Region, account, resource.
    pub(crate) fn parts(text: &str) -> Option<[&str; 5]> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let mut part = || parts.next();
        let parts = [part()?, part()?, part()?, part()?, part()?];
        let [partition, service, .., resource] = parts;
        (!partition.is_empty() && !service.is_empty() && !resource.is_empty()).then_some(parts)
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        self.part(0)
    }

    /// The service's namespace: `s3`, `iam`, …
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// The Region, or an empty text where the service has none in its ARNs.
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The 12-digit account, or an empty text where the service has none in its ARNs.
    pub fn account(&self) -> &str {
        self.part(3)
    }

    /// Everything behind the fifth colon.
    pub fn resource(&self) -> &str {
        self.part(4)
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of an IAM role (its last path segment), when this is a role's ARN.
    pub fn role_name(&self) -> Option<&str> {
        let path = self.resource().strip_prefix("role/").filter(|_| self.service() == "iam")?;
        path.rsplit('/').next().filter(|name| !name.is_empty())
    }

    fn part(&self, index: usize) -> &str {
        let start = self.starts.get(index).copied().unwrap_or_default();
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        self.text.get(start..end).unwrap_or_default()
    }
}

impl Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that should have been an ARN and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ARN (`arn:partition:service:region:account:resource`)")]
pub struct ArnError(String);

/// The text of an ARN of these parts; Region and account may be empty.
pub fn build(
    partition: impl Display,
    service: impl Display,
    region: impl Display,
    account: impl Display,
    resource: impl Display,
) -> String {
    format!("arn:{partition}:{service}:{region}:{account}:{resource}")
}

/// The ARN of an account itself, `arn:aws:iam::111111111111:root`.
pub fn account_root(partition: impl Display, account: impl Display) -> String {
    build(partition, "iam", "", account, "root")
}

/// The ARN of an IAM role; `name` may have a path before it, or be a pattern.
pub fn role(partition: impl Display, account: impl Display, name: impl Display) -> String {
    build(partition, "iam", "", account, format_args!("role/{name}"))
}

/// The ARN of a bucket.
pub fn bucket(partition: impl Display, name: impl Display) -> String {
    build(partition, "s3", "", "", name)
}

/// The ARN of an object of a bucket; `key` may be a pattern.
pub fn object(partition: impl Display, bucket: impl Display, key: impl Display) -> String {
    build(partition, "s3", "", "", format_args!("{bucket}/{key}"))
}

/// The bucket that an ARN of S3, or a pattern for one, is about.
pub fn bucket_of(arn: &str) -> Option<&str> {
    arn.split_once(":s3:::")?.1.split('/').next()
}

/// The account in the text of an ARN; none where it has none, or is not an ARN.
pub fn account_of(arn: &str) -> Option<&str> {
    let [_, _, _, account, _] = Arn::parts(arn)?;
    Some(account).filter(|account| !account.is_empty())
}

/// The Region in the text of an ARN; none where it has none, or is not an ARN.
pub fn region_of(arn: &str) -> Option<&str> {
    let [_, _, region, ..] = Arn::parts(arn)?;
    Some(region).filter(|region| !region.is_empty())
}

/// Whether the text is a 12-digit AWS account id.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let arn = Arn::parse("arn:aws:iam::111122223333:role/service-role/Build").unwrap();
        assert_eq!(
            (arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()),
            ("aws", "iam", "", "111122223333", "role/service-role/Build")
        );
        assert_eq!(arn.role_name(), Some("Build"));
        let log = Arn::parse("arn:aws:logs:eu-west-1:111122223333:log-group:/a:*").unwrap();
        assert_eq!(log.resource(), "log-group:/a:*");
        assert_eq!(log.role_name(), None);
        assert_eq!(Arn::of_bucket("aws-cn", "b"), Arn::parse("arn:aws-cn:s3:::b").unwrap());
    }

    #[test]
    fn built_arns_are_parsed() {
        for (arn, resource) in [
            (account_root("aws", "111122223333"), "root"),
            (role("aws-cn", "111122223333", "path/Deploy"), "role/path/Deploy"),
            (bucket("aws", "artifacts"), "artifacts"),
            (object("aws-us-gov", "artifacts", "a/b"), "artifacts/a/b"),
            (build("aws", "kms", "eu-west-1", "111122223333", "key/1"), "key/1"),
        ] {
            assert_eq!(Arn::parse(&arn).unwrap().resource(), resource, "{arn}");
        }
    }

    #[test]
    fn account_and_region_of_text() {
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
        assert_eq!((account_of(key), region_of(key)), (Some("111122223333"), Some("eu-west-1")));
        for text in ["arn:aws:s3:::artifacts", "a:b:c:d:111122223333:f", "*", ""] {
            assert_eq!((account_of(text), region_of(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn not_arns() {
        for text in ["", "arn", "arn:aws:iam::1", "urn:aws:iam::1:role/x", "arn:aws:iam::1:", "é:::::"] {
            assert!(Arn::parse(text).is_err(), "{text}");
        }
    }
}
