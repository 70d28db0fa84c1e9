"""Why an action failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """An `errorDetails` code and the message that goes with it."""

    code: str
    message: str
    external_execution_id: str = ""
