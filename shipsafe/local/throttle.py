"""Rates, for those who ask for them with `--throttle`: Lambda's control plane and Signer refuse what comes too fast.

Lambda (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html): GetFunction 100 a second, GetPolicy 15, all other calls
of the control plane 15 together. Signer (https://docs.aws.amazon.com/signer/latest/developerguide/whatis-limits.html) has a quota for
each operation, whose number is told by Service Quotas alone: 10 a second stands for it here.
"""

import time
from collections.abc import Callable
from threading import Lock

from shipsafe.local.call import ApiError

_TOGETHER = 15.0
_LAMBDA = {"GetFunction": 100.0, "GetPolicy": 15.0}
_DATA_PLANE = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})
_SIGNER = 10.0


class Throttle:
    """A bucket of calls for each rate, account and Region: it holds the calls of one second, and fills evenly."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: dict[tuple[str, ...], tuple[float, float]] = {}  # what is left, and when that was so
        self._lock = Lock()

    def check(self, service: str, operation: str, account: str, region: str) -> None:
        """Count a call.

        Raises:
            ApiError: it comes too soon: TooManyRequestsException of Lambda, ThrottlingException of Signer; both 429.
        """
        if service == "signer" and not self._take((service, operation, account, region), _SIGNER):
            raise ApiError("ThrottlingException", "Rate exceeded", 429, code="Throttling")
        if service == "lambda" and operation not in _DATA_PLANE:
            rate = _LAMBDA.get(operation)
            bucket = (service, operation if rate is not None else "", account, region)
            if not self._take(bucket, rate or _TOGETHER):
                raise ApiError("TooManyRequestsException", "Rate exceeded", 429, Reason="CallerRateLimitExceeded", Type="User")

    def _take(self, bucket: tuple[str, ...], rate: float) -> bool:
        with self._lock:
            now = self._now()
            left, then = self._buckets.get(bucket, (rate, now))
            left = min(rate, left + (now - then) * rate)
            self._buckets[bucket] = (left - 1.0 if left >= 1.0 else left, now)
            return left >= 1.0
