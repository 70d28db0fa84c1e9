//! What is tried in the target account, and what AWS says to it.

use crosspipe_e2e::world::World;
use crosspipe_e2e::{Account, CallError};
use serde_json::{Value, json};

use crate::screen::Screen;

const ARTIFACT_TEXT: &str = "b3JkZXJzIDEuNC4y"; // base64

/// Sessions in the target account, as long as the story lasts.
pub(crate) struct Access<'world> {
    world: &'world World<'world>,
    service_role: Account<'world>,
    target_role: Account<'world>,
    instance_role: Account<'world>,
    ciphertext: Value,
}

/// What is to come of each attempt.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    /// CodePipeline's service role assumes the target role.
    pub assume: bool,
    /// The target role and the instance role read the artifact.
    pub read: bool,
    /// The two decrypt with the artifact key.
    pub decrypt: bool,
}

impl<'world> Access<'world> {
    /// Takes the sessions. That of the target role takes a permission that only the deployment will give: it is lent
    /// for this one moment, so that the same session can show before and after.
    pub(crate) fn new(world: &'world World<'world>) -> Result<Self, CallError> {
        let service_role = world.tools.assume(&world.service_role_arn)?;
        let document = json!({
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": world.target_role_arn()},
        });
        let mut lent = json!({"RoleName": world.service_role, "PolicyName": "lent"});
        let taken_back = lent.clone();
        if let Value::Object(members) = &mut lent {
            members.insert("PolicyDocument".to_owned(), json!(document.to_string()));
        }
        world.tools.call("iam", "put_role_policy", lent)?;
        let target_role = service_role.assume(&world.target_role_arn());
        world.tools.call("iam", "delete_role_policy", taken_back)?;
        let encrypt = json!({"KeyId": world.key_arn, "Plaintext": ARTIFACT_TEXT});
        let mut encrypted = world.tools.call_raw("kms", "TrentService.Encrypt", encrypt)?;
        Ok(Self {
            world,
            service_role,
            target_role: target_role?,
            instance_role: world.target.assume(&world.instance_role_arn())?,
            ciphertext: encrypted.get_mut("CiphertextBlob").map(Value::take).unwrap_or_default(),
        })
    }

    /// Tries everything, prints what AWS says, and checks that it is as expected.
    pub(crate) fn try_all(&self, screen: &mut Screen, expected: Expected) {
        let roles = [("CrosspipeTargetRole", &self.target_role), ("orders-instance", &self.instance_role)];
        let assumed = self.service_role.assume(&self.world.target_role_arn()).map(drop);
        let what = "the pipeline's service role (A): sts:AssumeRole on CrosspipeTargetRole (B)";
        attempt(screen, what, &assumed, expected.assume);
        for (name, session) in roles {
            let read = self.read_artifact(session);
            attempt(screen, &format!("{name} (B): s3:GetObject of the artifact in A"), &read, expected.read);
            let decrypted = self.decrypt(session);
            attempt(
                screen,
                &format!("{name} (B): kms:Decrypt with A's artifact key"),
                &decrypted,
                expected.decrypt,
            );
        }
    }

    fn read_artifact(&self, session: &Account<'_>) -> Result<(), CallError> {
        let request = json!({"Bucket": self.world.bucket, "Key": self.world.artifact});
        session.call("s3", "get_object", request).map(drop)
    }

    fn decrypt(&self, session: &Account<'_>) -> Result<(), CallError> {
        let request = json!({"KeyId": self.world.key_arn, "CiphertextBlob": self.ciphertext});
        let answer = session.call_raw("kms", "TrentService.Decrypt", request)?;
        if answer.get("Plaintext") == Some(&json!(ARTIFACT_TEXT)) {
            return Ok(());
        }
        Err(CallError { code: "WrongPlaintext".to_owned(), message: answer.to_string(), status: 200 })
    }
}

/// A denial counts as such only if it is one: any other error is none.
fn attempt(screen: &mut Screen, what: &str, outcome: &Result<(), CallError>, allowed: bool) {
    match outcome {
        Ok(()) => screen.check(allowed, &format!("allowed  {what}")),
        Err(error) if error.code.starts_with("AccessDenied") => {
            screen.check(!allowed, &format!("denied   {what}{}", side(&error.message)));
        }
        Err(error) => screen.check(false, &format!("failed   {what}: {error}")),
    }
}

/// Which side refuses, if AWS says so.
fn side(message: &str) -> String {
    let policy = message.split_once("because ").and_then(|(_, because)| because.split_once(" allows "));
    policy.map(|(policy, _)| format!(" ({policy} allows it)")).unwrap_or_default()
}
