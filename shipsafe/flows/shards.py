"""How several machines share a build: shares of equal weight, of which each is built alone and all are joined again.

Functions with equal dependencies stay together, because what they need is resolved, installed and compressed once.
"""

from collections.abc import Iterable, Mapping, Sequence

from shipsafe.errors import NothingError
from shipsafe.model.plan import Planned, Shard

_PIECES = 3  # into how many pieces a share may fall


def share(planned: Iterable[Planned], number: int, of: int) -> Shard:
    """The share of one of several machines.

    Raises:
        NothingError: there is less to do than there are machines.
    """
    found = shards(planned, of)
    if number > len(found):
        raise NothingError(f"There are only {len(found)} shares to do, and this is number {number}.",
                           remedy=f"Take the jobs from `shipsafe build --plan --shards {of}`.")  # fmt: skip
    return found[number - 1]


def shards(planned: Iterable[Planned], most: int) -> tuple[Shard, ...]:
    """At most `most` shares of nearly equal weight, none empty; the same for the same project, wherever they are made.

    The heaviest goes first, always to where it makes the lightest share: what a share has installed already weighs nothing again. A
    group of equal dependencies is only split where it is heavier than a third of a share. Where there is less to do than `most`
    machines can share, the last ones get none.
    """
    planned = tuple(planned)
    groups: dict[str, list[Planned]] = {}
    for one in planned:
        groups.setdefault(one.dependencies or one.subject.subject, []).append(one)
    total = sum(sum(one.own for one in group) + group[0].distributions for group in groups.values())
    share = max(1, total // most)
    pieces = [piece for group in groups.values() for piece in _pieces(group, share // _PIECES)]
    count = min(most, len(pieces))
    filled: list[list[Planned]] = [[] for _ in range(count)]
    weights = [0] * count
    for piece in sorted(pieces, key=lambda piece: (-_weight(piece), piece[0].subject.subject)):
        lightest = min(range(count), key=lambda number: (_weight([*filled[number], *piece]), number))
        filled[lightest] += piece
        weights[lightest] = _weight(filled[lightest])
    order = {one.subject.subject: number for number, one in enumerate(planned)}
    return tuple(
        Shard(number=number + 1, of=most, weight=weights[number],
              subjects=tuple(sorted((one.subject.subject for one in filled[number]), key=order.__getitem__)))
        for number in range(count)
    )  # fmt: skip


def _pieces(group: list[Planned], most: int) -> list[list[Planned]]:
    """A group in pieces that are no heavier than `most`, if it can be."""
    pieces: list[list[Planned]] = []
    for one in group:
        if pieces and _weight([*pieces[-1], one]) <= most:
            pieces[-1].append(one)
        else:
            pieces.append([one])
    return pieces


def _weight(planned: Sequence[Planned]) -> int:
    sets: Mapping[str, int] = {one.dependencies: one.distributions for one in planned}
    return sum(one.own for one in planned) + sum(sets.values())
