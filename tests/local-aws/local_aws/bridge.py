"""`python -m local_aws.bridge ENDPOINT`: AWS calls for callers that have no SDK, as JSON lines.

In:  `{"id", "account", "region", "session"?: {"accessKeyId", "secretAccessKey", "sessionToken"}, "service", "operation", "params"}`
Out: `{"id", "ok": …}` or `{"id", "error": {"code", "message", "status"}}`, in the order in which the calls end.

`operation` is boto3's (`get_key_policy`), or one of this module's own: `package_template`, and `raw`, which signs and
sends `{"target", "body", "content_type"?}` as it is: members that the SDK does not know arrive.
Bytes that are no text are `{"base64": "…"}`, in both directions.
Without `session`, the call is made as the account's root. Calls run side by side. Ends with its standard input.
"""

from __future__ import annotations

import base64
import datetime
import json
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from .package_template import package_template

WORKERS = 32
# A failure that a test injects is to be seen, not retried away.
_CONFIG = Config(
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    max_pool_connections=WORKERS,
    connect_timeout=10,
    read_timeout=300,
    ignore_configured_endpoint_urls=True,
)

Call = dict[str, Any]


class Bridge:
    """The clients, one for each account, Region, session and service."""

    def __init__(self, endpoint: str):
        self.endpoint = endpoint
        self._session = boto3.session.Session()  # one: it keeps the services' models, which are large
        self._clients: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def answer(self, call: Call) -> dict[str, Any]:
        try:
            return {"id": call["id"], "ok": plain(self._run(call))}
        except ClientError as error:
            details, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            return _failed(call, details.get("Code", ""), details.get("Message", ""), status)
        except urllib.error.HTTPError as error:
            body = json.loads(error.read() or b"{}")
            return _failed(call, body.get("__type", "").rpartition("#")[2], body.get("message", ""), error.code)
        except Exception as error:  # whatever it is: a call without an answer would be waited for
            return _failed(call, type(error).__name__, str(error), 0)

    def _run(self, call: Call) -> Any:
        operation, params = call["operation"], with_bytes(call.get("params") or {})
        if operation == "package_template":
            return package_template(self._client(call, "s3"), **params)
        if operation == "raw":
            return self._raw(call, **params)
        answer = getattr(self._client(call, call["service"]), operation)(**params)
        answer.pop("ResponseMetadata", None)
        return answer

    def _client(self, call: Call, service: str) -> Any:
        credentials = _credentials(call)
        key = (credentials.access_key, credentials.token, call["region"], service)
        with self._lock:  # creating clients is not thread-safe
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    endpoint_url=self.endpoint,
                    region_name=call["region"],
                    config=_CONFIG,
                    aws_access_key_id=credentials.access_key,
                    aws_secret_access_key=credentials.secret_key,
                    aws_session_token=credentials.token,
                )
            return self._clients[key]

    def _raw(self, call: Call, target: str, body: Any, content_type: str = "application/x-amz-json-1.1") -> Any:
        headers = {"Content-Type": content_type, "X-Amz-Target": target}
        request = AWSRequest(method="POST", url=self.endpoint + "/", data=json.dumps(body).encode(), headers=headers)
        SigV4Auth(_credentials(call), call["service"], call["region"]).add_auth(request)
        prepared = request.prepare()
        sent = urllib.request.Request(prepared.url, prepared.body, dict(prepared.headers), method="POST")
        with urllib.request.urlopen(sent, timeout=60) as response:  # noqa: S310 (127.0.0.1)
            return json.loads(response.read() or b"{}")


def _credentials(call: Call) -> Credentials:
    session = call.get("session")
    if session:
        return Credentials(session["accessKeyId"], session["secretAccessKey"], session["sessionToken"])
    return Credentials(call["account"], "test")


def _failed(call: Call, code: str, message: str, status: int) -> dict[str, Any]:
    return {"id": call.get("id"), "error": {"code": code, "message": message, "status": status}}


def plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(one) for one in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, StreamingBody) or hasattr(value, "read"):
        return plain(value.read())
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    return value


def with_bytes(value: Any) -> Any:
    """The parameters with their bytes: the other direction of `plain`."""
    if isinstance(value, dict):
        if set(value) == {"base64"}:
            return base64.b64decode(value["base64"])
        return {key: with_bytes(one) for key, one in value.items()}
    return [with_bytes(one) for one in value] if isinstance(value, list) else value


def main() -> None:
    bridge, write = Bridge(sys.argv[1]), threading.Lock()

    def serve(line: str) -> None:
        answer = json.dumps(bridge.answer(json.loads(line)))
        with write:
            sys.stdout.write(answer + "\n")
            sys.stdout.flush()

    with ThreadPoolExecutor(WORKERS) as pool:
        for line in sys.stdin:
            pool.submit(serve, line)


if __name__ == "__main__":
    main()
