"""As much of the AWS CLI as the fixes need, over the snapshot in $SNAPSHOT."""

import json
import os
import sys

service, operation, *rest = sys.argv[1:]
given, at = {}, 0
while at < len(rest):
    name, sign, value = rest[at].partition("=")
    if not sign:
        at += 1
        value = rest[at]
    given[name] = value
    at += 1

with open(os.environ["SNAPSHOT"]) as file:
    snapshot = json.load(file)
path, key_arn = sys.argv[0], os.environ["KEY"]


def fail(code):
    sys.exit(f"An error occurred ({code}) when calling the operation")


def role(name):
    return next(facts for arn, facts in snapshot["roles"].items() if arn.endswith("/" + name))


def document(option):
    with open(given[option].removeprefix("file://")) as file:
        return json.load(file)


def holder():
    """What has a member that is read or written, and its name."""
    if service == "s3api":
        return snapshot["buckets"][given["--bucket"]], "policy"
    if service == "kms":
        assert given["--policy-name"] == "default" and given["--region"] in given["--key-id"]
        return snapshot["keys"][given["--key-id"]], "policy"
    if service == "codepipeline":
        return snapshot["pipeline"], "pipeline"
    if "--policy-name" in given:
        return role(given["--role-name"]).setdefault("inlinePolicies", {}), given["--policy-name"]
    return role(given["--role-name"]), "trustPolicy"


if operation == "get-caller-identity":
    # Whoever runs a script is in the account that it is for.
    print(os.environ["ACCOUNT"])
elif operation.startswith("get-"):
    of, member = holder()
    if of.get(member) is None:
        fail({"s3api": "NoSuchBucketPolicy", "iam": "NoSuchEntity"}.get(service, "NotFound"))
    print(json.dumps(of[member]))
elif operation == "describe-key":
    given_id = given["--key-id"]
    print(key_arn if "alias/" in given_id else key_arn.rpartition("/")[0] + "/" + given_id)
elif operation in ("enable-key", "cancel-key-deletion"):
    metadata = snapshot["keys"][given["--key-id"]]["keyMetadata"]
    metadata = metadata.get("KeyMetadata", metadata)
    if (operation == "enable-key") == (metadata["KeyState"] == "PendingDeletion"):
        fail("KMSInvalidStateException")
    metadata["KeyState"] = "Enabled" if operation == "enable-key" else "Disabled"
elif operation == "update-project":
    snapshot["buildProjects"][given["--name"]]["encryptionKey"] = given["--encryption-key"]
elif operation == "put-bucket-ownership-controls":
    snapshot["buckets"][given["--bucket"]]["objectOwnership"] = given["--ownership-controls"].split("=")[2].rstrip("}]")
elif operation.startswith(("put-", "update-")):
    of, member = holder()
    of[member] = document("--policy-document" if service == "iam" else "--pipeline" if service == "codepipeline" else "--policy")
else:
    fail("UnknownOperation")
with open(os.environ["SNAPSHOT"], "w") as file:
    json.dump(snapshot, file)
