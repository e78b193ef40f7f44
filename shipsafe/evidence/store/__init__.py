"""Where evidence lives: a folder, or a prefix of a bucket."""

from collections.abc import Callable, Collection
from pathlib import Path

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError
from shipsafe.evidence.store.folder import FolderPlace
from shipsafe.evidence.store.keeping import Store
from shipsafe.model.policy import Policy

__all__ = ["Store", "open_store", "store_of"]


def open_store(place: str, *, home: Path, connect: Callable[[Place], Aws] = open_aws, accounts: Collection[str] = ()) -> Store:
    """The evidence of `s3://bucket/prefix`, or of a folder.

    Args:
        place: as `evidence` of a policy has it.
        home: the policy's folder; a relative `place` begins there.
        connect: opens AWS, in the bucket's region; the default credentials are used.
        accounts: the policy's own; the bucket must belong to one of them, or to the one that we are.

    Raises:
        ConfigError: it is no such place, or AWS is not configured.
        IntegrityError: the bucket belongs to somebody else.
        IncompleteError: there is no such bucket, it may not be looked at, or AWS gave no answer.
    """
    if place.startswith("s3:"):
        from shipsafe.evidence.store.bucket import opened  # noqa: PLC0415 - a folder needs no AWS

        return Store(opened(place, connect, accounts))
    if "://" in place or not place or "\0" in place:
        raise ConfigError(f"{place[:120]!r} is no place for evidence.", remedy="Write s3://bucket/prefix, or a folder.")
    return Store(FolderPlace((home / place).absolute()))


def store_of(policy: Policy, *, folder: Path, told: str | None = None, connect: Callable[[Place], Aws] = open_aws) -> Store:
    """The store that the policy names, from where the policy lies; or the one that the command line names, from `folder`.

    Args:
        policy: its `path` is relative to `folder`.
        folder: where the command was called.
        told: what the command line says in its place.
        connect: as for `open_store`.

    Raises:
        ConfigError: neither names one; and as `open_store`.
        IntegrityError, IncompleteError: as `open_store`.
    """
    place = told or policy.evidence
    if place is None:
        remedy = 'Set evidence = "s3://bucket/prefix" (or a folder) in the policy, or give --evidence.'
        raise ConfigError("No place is named where evidence is kept.", remedy=remedy, path=policy.path)
    home = folder if told or policy.path is None else (folder / policy.path).parent
    return open_store(place, home=home, connect=connect, accounts=policy.accounts)
