"""`python -m local_aws PORT SCRATCH`: serves local AWS on 127.0.0.1 until its standard input ends.

A caller that dies closes the pipe, so nothing is left behind: neither this process nor the functions that it runs,
nor the folder `SCRATCH` with their code.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import threading

REGION = "eu-west-1"


def main() -> None:
    if len(sys.argv) != 3 or not sys.argv[1].isdigit():
        raise SystemExit("usage: python -m local_aws PORT SCRATCH")
    port, scratch = sys.argv[1], sys.argv[2]
    os.makedirs(scratch, exist_ok=True)
    _own_process_group()
    _configure(port, scratch)

    # ministack reads its configuration when it is imported.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack_app

    from . import hooks

    hooks.install()
    threading.Thread(target=_end_with_stdin, args=(scratch,), daemon=True).start()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    asyncio.run(serve(ministack_app.app, config))


def _configure(port: str, scratch: str) -> None:
    endpoint = f"http://127.0.0.1:{port}"
    os.environ.update(
        TMPDIR=scratch,
        BIND_HOST="127.0.0.1",  # all interfaces otherwise
        GATEWAY_PORT=port,
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_REGION=os.environ.get("MINISTACK_REGION", REGION),
        AWS_ENDPOINT_URL=endpoint,  # functions inherit it
        AUTH="true",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LAMBDA_ASYNC_RETRY_BASE_SECONDS="0.2",
        LAMBDA_ASYNC_RETRY_MAX_SECONDS="1",
    )


def _own_process_group() -> None:
    """Functions run as children in this group, so that the group ends as one."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)


def _end_with_stdin(scratch: str) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    _list_operations()
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _list_operations() -> None:
    """The end of the log: what this run has held against AWS's service models."""
    from . import models

    for service, operations in models.operations_seen().items():
        listed = ", ".join(f"{name} ({count})" for name, count in operations.items())
        print(f"seen, and checked against AWS's model of {service}: {listed}", flush=True)


if __name__ == "__main__":
    main()
