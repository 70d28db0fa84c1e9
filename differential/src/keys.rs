//! Condition keys, what requests carry in them, and what policies compare them with.

/// What a key holds, and with it which operators go with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// One text.
    Text,
    /// Several texts.
    Many,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A point in time.
    Date,
    /// An address.
    Ip,
    /// An ARN.
    Arn,
    /// Base64.
    Binary,
}

/// A condition key.
pub(crate) struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Type,
    /// Values of requests.
    pub values: &'static [&'static str],
    /// What policies compare with, beside such values.
    pub wanted: &'static [&'static str],
}

/// Every key that cases use.
pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "aws:PrincipalTag/team",
        kind: Type::Text,
        values: &["blue", "Blue", "red"],
        wanted: &[
            "BLUE",
            "b*",
            "r?d",
            "${aws:PrincipalTag/team}",
            "${aws:PrincipalTag/none, 'blue'}",
            "${aws:username}",
        ],
    },
    Key {
        name: "aws:username",
        kind: Type::Text,
        values: &[],
        wanted: &["alice", "bo?", "${aws:username}", "A*"],
    },
    Key {
        name: "s3:prefix",
        kind: Type::Text,
        values: &["home/alice/", "a*b", "100$"],
        wanted: &[
            "home/${aws:username}/*",
            "a${*}b",
            "a*b",
            "100${$}",
            "a${?}b",
            "home/*",
            "${aws:PrincipalTag/none}",
        ],
    },
    Key {
        name: "s3:x-amz-server-side-encryption",
        kind: Type::Text,
        values: &["aws:kms", "AES256"],
        wanted: &["aws:*", "aes256"],
    },
    Key {
        name: "sts:ExternalId",
        kind: Type::Text,
        values: &["secret", "12345"],
        wanted: &["12345", "sec*"],
    },
    Key {
        name: "aws:PrincipalOrgID",
        kind: Type::Text,
        values: &["o-a1b2c3d4e5"],
        wanted: &["o-*", "o-zzzzzzzzzz"],
    },
    Key { name: "aws:SourceVpce", kind: Type::Text, values: &["vpce-1"], wanted: &["vpce-2", "vpce-*"] },
    Key {
        name: "kms:ViaService",
        kind: Type::Text,
        values: &["s3.eu-west-1.amazonaws.com"],
        wanted: &["s3.*.amazonaws.com", "ec2.*"],
    },
    Key {
        name: "aws:PrincipalAccount",
        kind: Type::Text,
        values: &[],
        wanted: &["111111111111", "222222222222"],
    },
    Key {
        name: "aws:TagKeys",
        kind: Type::Many,
        values: &["env", "team", "Cost"],
        wanted: &["e*", "ENV", "x"],
    },
    Key {
        name: "aws:PrincipalOrgPaths",
        kind: Type::Many,
        values: &["o-a/r-b/ou-c/", "o-a/r-b/ou-d/"],
        wanted: &["o-a/*", "o-a/r-b/ou-c/*"],
    },
    Key { name: "aws:SecureTransport", kind: Type::Bool, values: &["true", "false"], wanted: &["TRUE"] },
    Key { name: "aws:MultiFactorAuthPresent", kind: Type::Bool, values: &["true", "false"], wanted: &[] },
    Key { name: "aws:ViaAWSService", kind: Type::Bool, values: &["true", "false"], wanted: &[] },
    Key {
        name: "s3:max-keys",
        kind: Type::Number,
        values: &["10", "100", "9"],
        wanted: &["10.0", "9.5", "-1", "1000"],
    },
    Key { name: "aws:MultiFactorAuthAge", kind: Type::Number, values: &["0", "3600"], wanted: &["3600.5"] },
    Key {
        name: "aws:CurrentTime",
        kind: Type::Date,
        values: &["2024-05-01T12:00:00Z", "2024-05-01T00:00:00Z"],
        wanted: &["2024-05-01", "2024-05-01T14:00:00+02:00", "2024-05", "2030-01-01T00:00:00Z"],
    },
    Key {
        name: "aws:TokenIssueTime",
        kind: Type::Date,
        values: &["2024-04-30T23:59:59Z", "2024-05-01T12:00:00.500Z"],
        wanted: &["2024-05-01T12:00:00.5Z", "2024-05-01T00:00Z"],
    },
    Key {
        name: "aws:EpochTime",
        kind: Type::Date,
        values: &["1714564800", "1714564801"],
        wanted: &["1714564799"],
    },
    Key {
        name: "aws:SourceIp",
        kind: Type::Ip,
        values: &["203.0.113.7", "10.1.2.3", "2001:db8::1"],
        wanted: &[
            "203.0.113.0/24",
            "10.0.0.0/8",
            "10.1.2.4/30",
            "0.0.0.0/0",
            "2001:db8::/32",
            "::/0",
            "2001:db9::/33",
        ],
    },
    Key {
        name: "aws:VpcSourceIp",
        kind: Type::Ip,
        values: &["10.1.2.3", "10.128.0.1"],
        wanted: &["10.0.0.0/9", "10.128.0.0/9"],
    },
    Key {
        name: "aws:PrincipalArn",
        kind: Type::Arn,
        values: &[],
        wanted: &[
            "arn:aws:iam::111111111111:role/*",
            "arn:aws:iam::*:role/Deploy",
            "arn:aws:iam::111111111111:user/alice",
            "arn:*:iam::111111111111:*",
            "arn:aws:*:*:*:role/service-role/?uild",
            "arn:aws:iam::${aws:PrincipalAccount}:role/*",
        ],
    },
    Key {
        name: "aws:SourceArn",
        kind: Type::Arn,
        values: &["arn:aws:codepipeline:eu-west-1:111111111111:P", "arn:aws:s3:::artifacts"],
        wanted: &[
            "arn:aws:codepipeline:*:111111111111:*",
            "arn:aws:s3:::*",
            "arn:aws:codepipeline:eu-west-1:*:p",
            "arn:aws:code*:*:*:?",
        ],
    },
    Key { name: "test:Blob", kind: Type::Binary, values: &["QmluYXJ5", "AAEC"], wanted: &["qmluyxj5"] },
];
