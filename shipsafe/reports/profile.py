"""Where the time of a run went: a line per leg, and the chain of legs that nothing could have made shorter by waiting less.

The critical path is: start, read, the look at another revision where one is named; then for the slowest function or layer its
staging, the slower of its gates and its compression, and its SBOM; then publish and report. Beside it stands what the processors had
to do: no run can be shorter than either.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shipsafe.adapters.timeline import Leg
from shipsafe.reports.escape import short

_BEFORE = ("start", "read", "since", "baseline")
_BESIDE = ("advisories",)  # beside all staging; one gate waits for it
_AFTER = ("publish", "report")  # these and those before are of the whole run, all others of a subject
_INSIDE = ("resolve", "install")  # parts of staging
_STAGE, _SEAL = "stage", "seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The legs of a run by their start, its wall time and the processor time of it and its children, in seconds."""

    legs: tuple[Leg, ...]
    wall: float
    cpu: float
    processors: int

    def critical_path(self) -> tuple[Leg, ...]:
        """The longest chain of legs of which each had to wait for the one before."""
        subjects = {leg.subject for leg in self.legs if leg.name not in (*_BEFORE, *_BESIDE, *_AFTER)}
        theirs = [leg for leg in self.legs if leg.name not in (*_BEFORE, *_BESIDE, *_AFTER, *_INSIDE)]
        beside = max((leg for leg in self.legs if leg.name in _BESIDE), key=lambda leg: leg.seconds, default=None)
        chains = [_chain([leg for leg in theirs if leg.subject == subject], beside) for subject in sorted(subjects)]
        slowest = max(chains, key=_seconds, default=())
        before = [leg for leg in self.legs if leg.name in _BEFORE]
        return (*before, *slowest, *(leg for leg in self.legs if leg.name in _AFTER))


def profile(legs: Iterable[Leg], *, wall: float, cpu: float, processors: int) -> Profile:
    """What a run's timeline says."""
    ordered = sorted(legs, key=lambda leg: (leg.start, leg.end))
    return Profile(legs=tuple(ordered), wall=wall, cpu=cpu, processors=processors)


def as_json(one: Profile) -> str:
    """For `bench/`: seconds throughout."""
    path = one.critical_path()
    document = {
        "wall": one.wall,
        "cpu": one.cpu,
        "processors": one.processors,
        "critical_path": _seconds(path),
        "critical_legs": [[leg.name, leg.subject] for leg in path],
        "legs": [{"leg": leg.name, "subject": leg.subject, "start": leg.start, "end": leg.end, "cached": leg.cached} for leg in one.legs],
    }
    return json.dumps(document, indent=1) + "\n"


def as_text(one: Profile) -> str:
    """For a person: a line per leg, then the critical path."""
    width = max((len(leg.subject) for leg in one.legs), default=0)
    lines = [f"{'leg':<13} {'of':<{width}}  cached    start     took"]
    lines += [
        f"{leg.name:<13} {short(leg.subject, width):<{width}}  {'yes' if leg.cached else '':<6} {leg.start:7.2f}s {leg.seconds:7.2f}s"
        for leg in one.legs
    ]
    path = one.critical_path()
    steps = ", ".join(f"{leg.name}{' ' + short(leg.subject, 80) if leg.subject else ''} {leg.seconds:.2f}s" for leg in path)
    lines.append(f"critical path {_seconds(path):.2f}s: {steps}")
    busy = one.cpu / (one.wall * one.processors) if one.wall else 0.0
    lines.append(f"wall {one.wall:.2f}s, processor time {one.cpu:.2f}s on {one.processors} processors ({busy:.0%} busy)")
    return "\n".join(lines) + "\n"


def _chain(legs: Sequence[Leg], beside: Leg | None) -> tuple[Leg, ...]:
    """Of one subject: staging, then its slowest gate or its compression, then its SBOM. Advisories may take longer than staging."""
    first = [leg for leg in legs if leg.name == _STAGE]
    last = [leg for leg in legs if leg.name == _SEAL]
    chains: list[tuple[Leg, ...]] = [(*first, leg, *last) for leg in legs if leg.name not in (_STAGE, _SEAL)]
    if beside is not None:
        chains += [(beside, leg, *last) for leg in legs if leg.name == "dependencies"]
    return max(chains, key=_seconds, default=(*first, *last))


def _seconds(legs: Iterable[Leg]) -> float:
    return sum(leg.seconds for leg in legs)
