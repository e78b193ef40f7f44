"""What several machines found where HEAD and a revision parted: known to all of them together, as it would be to one machine.

Each share of `build --shard K/N --baseline-ref REV` asks its own functions there, and its report holds what of that is still found, and
what is gone. That is believed, as every answer of a share is; which commit it was, is compared.
"""

from collections.abc import Iterable, Iterator

from shipsafe.adapters.git_tree import commit_of, repository_of, shown_revision
from shipsafe.flows.known import refuse_fixed
from shipsafe.flows.prepare import Prepared
from shipsafe.flows.unseen import joined
from shipsafe.model.baseline import Baseline, BaselineEntry
from shipsafe.model.record import RunRecord

_ID = 12  # characters of a commit, as entries name their owner


def shared_baseline(prepared: Prepared, name: str, shares: Iterable[RunRecord]) -> tuple[Baseline, tuple[str, ...]]:
    """What was known there, and the remarks of the shares about it, as one machine would make them.

    Args:
        prepared: what is joined, in a checkout whose history goes back to where HEAD and the revision parted.
        name: of the revision, as the shares were given it.
        shares: what they report.

    Raises:
        ConfigError: there is no such revision here, or the policy fixes what is known.
    """
    refuse_fixed(prepared.policy)
    commit = commit_of(repository_of(prepared.request.path), name, merge_base=True)
    shown = shown_revision(name, commit)
    found: dict[BaselineEntry, None] = {}
    remarks: list[str] = []
    for record in shares:
        found |= dict.fromkeys(one for one in _entries(record) if one.location is None and one.owner == commit[:_ID])
        remarks += (hint for hint in record.hints if hint.startswith(f"At {shown} "))
    return Baseline(path=shown, entries=tuple(sorted(found, key=lambda one: one.order))), joined(shown, remarks)


def _entries(record: RunRecord) -> Iterator[BaselineEntry]:
    """Every entry that a share speaks of; those of a baseline file have a place in it."""
    yield from (one.entry for one in record.verdict.baselined)
    yield from record.verdict.vanished
