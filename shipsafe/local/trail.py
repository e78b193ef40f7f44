"""What was asked of the endpoint, as CloudTrail would tell it: one event a call.

What CloudTrail tells of signatures is with the local Lambda (`Lambda.events`). Parameters are left out but for a few names: they may
hold code, environment variables and secrets.
"""

from collections import deque
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import uuid4

from shipsafe.local.call import Call

_KEPT = 10_000  # events
_NAMED = (
    *("FunctionName", "CodeSigningConfigArn", "LayerName", "Name", "Qualifier", "DryRun", "profileName", "jobId", "Bucket", "Key"),
    *("StackName", "ChangeSetName", "RoleARN"),
)


class Trail:
    """The last events, oldest first."""

    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._lock = Lock()

    def note(self, call: Call, *, at: datetime, error: str = "", status: int = 200) -> None:
        """Add one call and how it ended."""
        event = {
            "eventID": str(uuid4()),
            "eventTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{call.service}.amazonaws.com",
            "eventName": call.operation,
            "awsRegion": call.region,
            "recipientAccountId": call.account,
            "userIdentity": {"arn": call.caller, "accountId": call.account},
            "requestParameters": {name: str(call.parameters[name]) for name in _NAMED if name in call.parameters},
            "errorCode": error or None,
            "httpStatus": status,
        }
        with self._lock:
            self._events.append(event)

    def events(self, *, service: str = "", operation: str = "") -> list[dict[str, Any]]:
        """Events of a service and an operation ("" for all)."""
        with self._lock:
            kept = list(self._events)
        return [
            event
            for event in kept
            if (not service or event["eventSource"] == f"{service}.amazonaws.com") and (not operation or event["eventName"] == operation)
        ]

    def clear(self) -> None:
        """Forget all events."""
        with self._lock:
            self._events.clear()
