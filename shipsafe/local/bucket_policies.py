"""Bucket policies that refuse requests without TLS, which nearly every bucket has, on an endpoint that speaks none.

moto decides about a statement without looking at its condition: a Deny under `aws:SecureTransport: false` would refuse every request. What
never leaves this machine counts as secure here, so such a statement holds for nothing; all others are decided by moto as before. The
policy itself is kept and answered word for word.
"""

import json
from typing import Any

_PLAIN = ("false", ["false"], False, [False])


def count_loopback_as_secure() -> None:
    """Teach moto's buckets that; to be called once, when moto is loaded."""
    from moto.iam.access_control import IAMPolicy, PermissionResult  # noqa: PLC0415 - only with moto
    from moto.s3.models import FakeBucket  # noqa: PLC0415 - likewise

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        document = json.loads(bucket.policy)
        statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        document["Statement"] = [one for one in statements if not only_without_tls(one)]
        return IAMPolicy(json.dumps(document)).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission  # type: ignore[assignment, method-assign]  # moto has no hook for conditions


def only_without_tls(statement: Any) -> bool:
    """Whether a statement of a bucket policy holds for requests without TLS alone."""
    condition = statement.get("Condition", {})
    return any(condition.get(operator, {}).get("aws:SecureTransport") in _PLAIN for operator in ("Bool", "BoolIfExists"))
