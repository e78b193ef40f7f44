"""The contest as a picture: one panel for each project, one bar for each contender, each panel on its own scale."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from bench.figures import Row

_WIDTH = 760
_LEFT = 200  # where the bars begin
_LONGEST = 400
_BAR, _STEP, _HEAD, _TOP = 18, 26, 34, 44
_OURS, _THEIRS = "#0b7a75", "#a9b4c2"
_FONT = "font-family='system-ui, sans-serif'"
_COLD = ("cold", "nothing changed", "one file changed")


def chart(rows: Sequence[Row], *, title: str) -> str:
    """An SVG of the rows of the contest, or of none when there are none."""
    panels: dict[str, list[Row]] = {}
    for row in rows:
        if row.mode in _COLD and row.spent:
            panels.setdefault(row.project, []).append(row)
    panels = {name: found for name, found in panels.items() if len({row.contender for row in found}) > 1}
    parts, at = [], _TOP
    for name, found in panels.items():
        parts.append(_text(20, at + 20, name, size=15, weight="600"))
        at += _HEAD
        longest = max(row.spent.wall for row in found if row.spent)
        for row in found:
            parts.extend(_bar(row, at, longest))
            at += _STEP
        at += 10
    height = at + 16
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            _text(20, 28, title, size=17, weight="700"),
            *parts,
            "</svg>",
            "",
        ]
    )


def _bar(row: Row, at: int, longest: float) -> list[str]:
    if row.spent is None:
        return []
    ours = row.contender == "shipsafe build"
    label = row.contender if row.mode == "cold" else f"shipsafe, {row.mode}"
    width = max(2, round(row.spent.wall / longest * _LONGEST))
    note = f" ({row.note})" if row.note.startswith("extrapolated") else ""
    return [
        _text(_LEFT - 8, at + 13, label, anchor="end"),
        f'<rect x="{_LEFT}" y="{at}" width="{width}" height="{_BAR}" rx="2" fill="{_OURS if ours else _THEIRS}"/>',
        _text(_LEFT + width + 6, at + 13, f"{row.spent.wall:.1f} s{note}", weight="600" if ours else "400"),
    ]


def _text(x: int, y: int, words: str, *, size: int = 12, weight: str = "400", anchor: str = "start") -> str:
    look = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="#1b2733"'
    return f'<text x="{x}" y="{y}" {_FONT} {look}>{escape(words)}</text>'
