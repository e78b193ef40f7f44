"""Results as text for the terminal, as `RESULTS.md`, and as JSON. Nothing here names a host, a user or a path."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from bench.figures import Results, Row, Target

_HEADS = ("project", "who", "mode", "wall", "CPU", "peak memory", "runs", "ours is", "remark")
_TARGETS = ("target", "goal", "measured", "", "remark")
_NUMBERS = frozenset({"wall", "CPU", "peak memory", "runs", "ours is", "goal", "measured"})
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


def text(results: Results) -> str:
    """Everything, in columns."""
    return "\n".join([*_columns(rows_table(results.rows)), "", *_columns(targets_table(results.targets)), "", *results.remarks, ""])


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
    facts = [f"| {name} | {_cell(value)} |" for name, value in results.machine.items()]
    versions = [f"| {name} | {_cell(value)} |" for name, value in results.versions.items()]
    return "\n".join(
        [
            "# Results of `bench/build.py`",
            "",
            f"Written by the program on {results.date}. What is measured, and why it is fair: [README.md](README.md). Again:",
            "",
            "```console",
            f"$ {command}",
            "```",
            "",
            *([f"![Wall time of each contender]({chart})", ""] if chart else []),
            "## Targets",
            "",
            *_markdown(targets_table(results.targets)),
            "",
            "## Everything that was measured",
            "",
            *_markdown(rows_table(results.rows)),
            "",
            "Wall and CPU are medians, memory is the largest of the runs: the sum of the proportional set sizes (PSS) of the whole process",
            "tree, sampled every 20 ms. CPU is user and system time of the whole tree, as the kernel counts it.",
            *(["", *(f"- {remark}" for remark in results.remarks)] if results.remarks else []),
            "",
            "## Machine",
            "",
            "| | |",
            "|---|---|",
            *facts,
            "",
            "## Versions",
            "",
            "| | |",
            "|---|---|",
            *versions,
            "",
            "Settings: " + ", ".join(f"{name} {value}" for name, value in results.settings.items()) + ".",
            "",
        ]
    )


def _markdown(table: list[tuple[str, ...]]) -> Iterator[str]:
    head, *rows = table
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('--:' if name in _NUMBERS else '---' for name in head)}|"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


def as_json(results: Results) -> str:
    """Everything, for programs; each target with its verdict."""
    document = asdict(results) | {"targets": [asdict(target) | {"verdict": target.verdict} for target in results.targets]}
    return json.dumps(document, indent=2) + "\n"
