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
    machines can share, the last ones get none. The heaviest share is heavier than the lightest by one piece at most.
    """
    planned = tuple(planned)
    known = {one.subject.subject: one for one in planned}
    used = {name for one in planned for name in one.layers if name in known}
    working = [one for one in planned if not one.idle and one.subject.subject not in used]
    groups: dict[str, list[Planned]] = {}
    for one in working:
        groups.setdefault(one.dependencies or one.subject.subject, []).append(one)
    aim = _weight(planned, known) // most // _PIECES
    pieces = [piece for group in groups.values() for piece in _pieces(group, aim, known)]
    count = min(most, max(1, len(pieces))) if planned else 0
    filled: list[list[Planned]] = [[] for _ in range(count)]
    for piece in sorted(pieces, key=lambda piece: (-_weight(piece, known), piece[0].subject.subject)):
        lightest = min(range(count), key=lambda number: (_weight([*filled[number], *piece], known), number))
        filled[lightest] += piece
    _hand_out(planned, filled)
    order = {name: number for number, name in enumerate(known)}
    return tuple(
        Shard(number=number, of=most, weight=_weight(share, known),
              subjects=tuple(sorted((one.subject.subject for one in share), key=order.__getitem__)))
        for number, share in enumerate(filled, 1)
    )  # fmt: skip


def _hand_out(planned: Iterable[Planned], filled: list[list[Planned]]) -> None:
    """Put what nobody is busy with where it costs nothing: a layer to a function that uses it, what is idle to the first share.

    A share of that alone would have nothing to answer, and a run that answers nothing does not pass.
    """
    placed = {one.subject.subject for share in filled for one in share}
    for one in planned:
        if (name := one.subject.subject) not in placed:
            users = (share for share in filled if any(name in other.layers for other in share))
            next(users, filled[0]).append(one)


def _pieces(group: list[Planned], most: int, known: Mapping[str, Planned]) -> list[list[Planned]]:
    """A group in pieces that are no heavier than `most`, if it can be."""
    pieces: list[list[Planned]] = []
    for one in group:
        if pieces and _weight([*pieces[-1], one], known) <= most:
            pieces[-1].append(one)
        else:
            pieces.append([one])
    return pieces


def _weight(share: Sequence[Planned], known: Mapping[str, Planned]) -> int:
    """What a machine does that builds these: they and their layers, and every dependency set once."""
    names = {name for one in share for name in (one.subject.subject, *one.layers)}
    all_of_it = [known[name] for name in names if name in known]
    sets = {one.dependencies: one.distributions for one in all_of_it}
    return sum(one.own for one in all_of_it) + sum(sets.values())
