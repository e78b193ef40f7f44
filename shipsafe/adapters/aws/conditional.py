"""Writes that S3 takes only where no object is (`If-None-Match: *`), and its answers where there is one, or somebody is writing one.

Source: Amazon S3 API Reference, "PutObject"; "How to prevent object overwrites with conditional writes".
"""

from collections.abc import Callable

from shipsafe.adapters.aws.refusals import AwsRefusal

TAKEN = ("PreconditionFailed", "412")
BUSY = ("ConditionalRequestConflict", "409", "OperationAborted")
_TRIES = 4
_PAUSE = 0.5  # seconds between writes that meet another


def written_where_none_is(write: Callable[[], object], *, sleep: Callable[[float], None]) -> bool:
    """Call `write` until it neither meets another write nor fails; False where there is an object already.

    Raises:
        IncompleteError: S3 refused, gave no answer, or somebody else kept writing the same key.
    """
    for remaining in range(_TRIES - 1, -1, -1):
        try:
            write()
        except AwsRefusal as refusal:
            if refusal.code in TAKEN:
                return False
            if refusal.code not in BUSY or not remaining:
                raise
            sleep(_PAUSE)
        else:
            return True
    raise AssertionError  # pragma: no cover - the last round returns or raises
