"""Results as text for the terminal, as `RESULTS.md`, and as JSON. Nothing here names a host, a user or a path."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from operator import itemgetter
from typing import Any

from bench.figures import Part, Results, Row, Target
from bench.measure import BenchError, Spent

_HEADS = ("project", "who", "mode", "wall", "CPU", "peak memory", "runs", "ours is", "remark")
_TARGETS = ("target", "goal", "measured", "", "remark")
_LEGS = ("leg", "times", "cached", "first start", "last end", "summed")
_NUMBERS = frozenset({"wall", "CPU", "peak memory", "runs", "ours is", "goal", "measured", "times", "cached",
                      "first start", "last end", "summed"})  # fmt: skip
_SAMPLED = 0.1  # seconds: a shorter run ends between two looks at its memory


def rows_table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The table of rows, its head first. `ours is` tells how many times faster our cold run was in the same project."""
    ours = {row.project: row.spent.wall for row in rows
            if row.spent and row.contender == "shipsafe build" and row.mode == "cold"}  # fmt: skip
    table: list[tuple[str, ...]] = [_HEADS]
    for row in rows:
        spent = row.spent
        if spent is None:
            table.append((row.project, row.contender, row.mode, "-", "-", "-", "0", "", row.note))
            continue
        base = ours.get(row.project)
        faster = f"{spent.wall / base:.1f} x faster" if base and row.mode == "cold" and row.contender != "shipsafe build" else ""
        peak = f"{spent.peak / 1e6:.0f} MB" if spent.peak and spent.wall >= _SAMPLED else "-"
        wall, cpu = (f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms" for value in (spent.wall, spent.cpu))
        table.append((row.project, row.contender, row.mode, wall, cpu, peak, str(row.runs), faster, row.note))
    return table


def targets_table(targets: Sequence[Target]) -> list[tuple[str, ...]]:
    """The table of targets, its head first."""
    table: list[tuple[str, ...]] = [_TARGETS]
    for target in targets:
        sign = "at least" if target.at_least else "at most"
        got = "-" if target.got is None else f"{_number(target.got)} {target.unit}".strip()
        table.append((target.what, f"{sign} {_number(target.goal)} {target.unit}".strip(), got, target.verdict, target.note))
    return table


def _number(value: float) -> str:
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"  # noqa: PLR2004 - three digits say enough


def legs_table(profile: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Where the time of one run went, its head first: the legs of one name in a line, in the order in which they began."""
    legs: dict[str, list[Mapping[str, Any]]] = {}
    for leg in sorted(profile["legs"], key=itemgetter("start")):
        legs.setdefault(leg["leg"], []).append(leg)
    table: list[tuple[str, ...]] = [_LEGS]
    for name, found in legs.items():
        summed = sum(leg["end"] - leg["start"] for leg in found)
        first, last = min(leg["start"] for leg in found), max(leg["end"] for leg in found)
        cached = str(sum(bool(leg["cached"]) for leg in found))
        table.append((name, str(len(found)), cached, f"{first:.2f} s", f"{last:.2f} s", f"{summed:.2f} s"))
    return table


def text(parts: Sequence[Part]) -> str:
    """Everything, in columns."""
    rows, targets = [row for part in parts for row in part.rows], [target for part in parts for target in part.targets]
    return "\n".join([*_columns(rows_table(rows)), "", *_columns(targets_table(targets)), "", *_failures(parts), ""])


def _failures(parts: Sequence[Part]) -> list[str]:
    return [f"{part.name} could not be measured to its end: {part.failure}" for part in parts if part.failure]


def _columns(table: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    for row in table:
        cells = (
            cell.rjust(width) if head in _NUMBERS else cell.ljust(width) for cell, width, head in zip(row, widths, table[0], strict=True)
        )
        yield "  ".join(cells).rstrip()


def markdown(results: Results, *, command: str, chart: str | None) -> str:
    """`RESULTS.md`.

    Args:
        results: what was measured.
        command: how to run it again.
        chart: path of the picture, relative to the page; None for none.
    """
    return "\n".join(
        [
            "# Results of `bench/build.py`",
            "",
            "Written by the program. What is measured, and why it is fair, stands in [README.md](README.md). Again:",
            "",
            "```console",
            f"$ {command}",
            "```",
            "",
            *([f"![Wall time of each contender]({chart})", ""] if chart else []),
            "## Targets",
            "",
            _tally(results),
            "",
            *_markdown(targets_table(results.targets)),
            "",
            "## Everything that was measured",
            "",
            *_markdown(rows_table(results.rows)),
            "",
            "Wall and CPU are medians, memory is the largest of the runs: the sum of the proportional set sizes (PSS) of the whole process",
            "tree, sampled every 20 ms. CPU is user and system time of the whole tree, as the kernel counts it.",
            "",
            *_profiles(results.rows),
            "## Machine, versions, runs",
            "",
            *_facts({**results.machine, **results.versions}),
            "",
            *_runs(results.parts),
        ]
    )


def _tally(results: Results) -> str:
    """How many are reached; a part that failed has none, and that is said beside it."""
    reached = sum(target.verdict == "reached" for target in results.targets)
    failed = "".join(f" `{part.name}` could not be measured to its end." for part in results.parts if part.failure)
    return f"{reached} of {len(results.targets)} are reached.{failed}"


def _profiles(rows: Sequence[Row]) -> Iterator[str]:
    """Where the time of our runs went."""
    profiled = [row for row in rows if row.profile]
    if profiled:
        yield from (
            "## Where the time went",
            "",
            "One run each, as `SHIPSAFE_PROFILE` tells it; legs overlap, so their sum may be above the wall time.",
            "",
        )
    for row in profiled:
        if row.profile:
            figures = ", ".join(f"{name.replace('_', ' ')} {float(row.profile[name]):.2f} s" for name in ("wall", "cpu", "critical_path"))
            path = ", ".join(" of ".join(filter(None, leg)) for leg in row.profile.get("critical_legs", ()))
            words = f"{figures}. Critical path: {path}." if path else f"{figures}."
            yield from (f"### {row.project}, {row.mode}", "", _cell(words), "", *_markdown(legs_table(row.profile)), "")


def _facts(facts: Mapping[str, str]) -> Iterator[str]:
    yield from ("| | |", "|---|---|")
    yield from (f"| {name} | {_cell(value)} |" for name, value in facts.items())


def _runs(parts: Sequence[Part]) -> Iterator[str]:
    """How each part was asked."""
    names = list(dict.fromkeys(name for part in parts for name in part.facts))
    yield f"| part | {' | '.join(names)} |"
    yield "|" + "---|" * (len(names) + 1)
    for part in parts:
        yield f"| {part.name} | {' | '.join(_cell(part.facts.get(name, '')) for name in names)} |"
    yield ""


def _markdown(table: list[tuple[str, ...]]) -> Iterator[str]:
    head, *rows = table
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('--:' if name in _NUMBERS else '---' for name in head)}|"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


def as_json(results: Results) -> str:
    """Everything, for programs; each target with its verdict. `from_json` reads it."""
    document = asdict(results)
    for part, said in zip(results.parts, document["parts"], strict=True):
        said["targets"] = [asdict(target) | {"verdict": target.verdict} for target in part.targets]
    return json.dumps(document, indent=2) + "\n"


def from_json(text_: str) -> Results:
    """What `as_json` wrote."""
    document = json.loads(text_)
    return Results(machine=document["machine"], versions=document["versions"], parts=[_part(one) for one in document["parts"]])


def _part(said: Mapping[str, Any]) -> Part:
    rows = [Row(**(one | {"spent": Spent(**one["spent"]) if one["spent"] else None})) for one in said["rows"]]
    targets = [Target(**{name: value for name, value in one.items() if name != "verdict"}) for one in said["targets"]]
    return Part(name=said["name"], rows=rows, targets=targets, facts=said["facts"], failure=said["failure"])


def join(found: Sequence[Results], order: Sequence[str]) -> Results:
    """One of many, its parts in that order; of two parts of one name the last counts.

    Raises:
        BenchError: they were measured on different machines, or with different versions of what is measured.
    """
    for what in ("machine", "versions"):
        facts = [set(getattr(one, what).items()) for one in found]
        differing = {name for name, _ in set.union(*facts) - set.intersection(*facts)}
        if differing:
            raise BenchError(f"These results do not belong together: {', '.join(sorted(differing))} differ. Measure them anew.")
    parts = {part.name: part for one in found for part in one.parts}
    return replace(found[0], parts=[parts[name] for name in order if name in parts])
