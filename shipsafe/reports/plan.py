"""A plan for people, for other programs, and as the matrix of a workflow."""

import json
from collections.abc import Iterable

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.model.plan import Planned, Shard
from shipsafe.reports.escape import short
from shipsafe.reports.strict_json import dump

_WIDEST = 60  # characters of a name


def table(planned: Iterable[Planned]) -> str:
    """A line for each function and layer: weight, code, dependencies, and what an earlier run has done."""
    rows = list(planned)
    width = max((len(short(one.subject.subject, _WIDEST)) for one in rows), default=0)
    lines = [f"{'':<{width}}  weight  {'code':>16}  {'dependencies':<19}  cached"]
    for one in rows:
        code = f"{one.files} files {one.size / MEBIBYTE:.1f} MiB"
        needs = f"{one.distributions} ({one.dependencies[:8]})" if one.dependencies else "-"
        done = short(one.problem, 200) if one.problem else ", ".join(one.cached) or "-"
        lines.append(f"{short(one.subject.subject, _WIDEST):<{width}}  {one.weight:>6}  {code:>16}  {needs:<19}  {done}")
        lines.append(f"{'':<{width}}  from {short(', '.join(one.inputs), 200)}")
    return "\n".join(lines) + "\n"


def as_json(planned: Iterable[Planned]) -> str:
    """All of it."""
    rows = [
        {
            "subject": one.subject.subject,
            "weight": one.weight,
            "inputs": list(one.inputs),
            "files": one.files,
            "size": one.size,
            "distributions": one.distributions,
            "dependencies": one.dependencies,
            "cached": list(one.cached),
            "problem": one.problem,
        }
        for one in planned
    ]
    return dump({"subjects": rows})


def matrix(shards: Iterable[Shard]) -> str:
    """One line, as GitHub takes it for `strategy.matrix`: a job for each share, whose `shard` goes to `build --shard`."""
    jobs = [{"shard": f"{one.number}/{one.of}", "weight": one.weight, "subjects": list(one.subjects)} for one in shards]
    return json.dumps({"include": jobs}).replace("##[", r"##\u005b") + "\n"
