"""Answers with a wrong shape are told from those with the right one, for each protocol."""

from __future__ import annotations

import json
import unittest
from typing import Any

from local_aws.models.answers import check_answer
from local_aws.models.catalogue import Request, model
from local_aws.models.constraints import Problems


def problems(service: str, operation: str, body: Any, headers: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """What is wrong with the answer."""
    known, found = model(service), Problems()
    assert known is not None
    text = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    marker = {"x-amz-target": "any"} if known.metadata["protocol"] == "json" else {}
    request = Request("POST", "/", marker, {}, b"")
    check_answer(known, known.operation_model(operation), request, (200, headers or {}, text), found)
    return found.found


class Answers(unittest.TestCase):
    def test_json(self) -> None:
        self.assertEqual(problems("kms", "GetKeyPolicy", {"Policy": "{}", "PolicyName": "default"}), [])
        wrong = problems("kms", "GetKeyPolicy", {"Policy": {}, "Name": "default"})
        self.assertEqual([member for member, _ in wrong], ["Policy", "Name"])

    def test_json_times_and_required_members(self) -> None:
        key = {"KeyId": "k", "CreationDate": 1700000000.5}
        self.assertEqual(problems("kms", "DescribeKey", {"KeyMetadata": key}), [])
        wrong = problems("kms", "DescribeKey", {"KeyMetadata": {"CreationDate": "yesterday"}})
        self.assertEqual([member for member, _ in wrong], ["KeyMetadata.KeyId", "KeyMetadata.CreationDate"])

    def test_query(self) -> None:
        names = "<PolicyNames>{}</PolicyNames><IsTruncated>{}</IsTruncated>"
        answer = (
            '<ListRolePoliciesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListRolePoliciesResult>{}'
            "</ListRolePoliciesResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
            "</ListRolePoliciesResponse>"
        )
        right = names.format("<member>a</member>", "false")
        self.assertEqual(problems("iam", "ListRolePolicies", answer.format(right)), [])
        wrong = problems("iam", "ListRolePolicies", answer.format(names.format("<item>a</item>", "no")))
        self.assertEqual([member for member, _ in wrong], ["PolicyNames.item", "IsTruncated"])
        self.assertTrue(problems("iam", "ListRolePolicies", "<Other/>"))

    def test_rest_xml(self) -> None:
        rule = "<Rule><ObjectOwnership>{}</ObjectOwnership></Rule>"
        answer = "<OwnershipControls>{}</OwnershipControls>"
        right = answer.format(rule.format("BucketOwnerEnforced"))
        self.assertEqual(problems("s3", "GetBucketOwnershipControls", right), [])
        wrong = problems("s3", "GetBucketOwnershipControls", answer.format(rule.format("Mine") + "<Owner/>"))
        places = ["OwnershipControls.Owner", "OwnershipControls.Rule[0].ObjectOwnership"]
        self.assertEqual([member for member, _ in wrong], places)

    def test_rest_json_and_headers(self) -> None:
        self.assertEqual(problems("lambda", "Invoke", b"any", {"X-Amz-Function-Error": "Unhandled"}), [])
        wrong = problems("lambda", "GetFunctionConfiguration", {"Timeout": "3", "Time": 3})
        self.assertEqual([member for member, _ in wrong], ["Timeout", "Time"])

    def test_errors_have_a_code(self) -> None:
        known, found = model("kms"), Problems()
        assert known is not None
        request = Request("POST", "/", {"x-amz-target": "any"}, {}, b"")
        check_answer(known, known.operation_model("ListKeys"), request, (400, {}, b'{"message": "no"}'), found)
        self.assertEqual([member for member, _ in found.found], ["__type"])


if __name__ == "__main__":
    unittest.main()
