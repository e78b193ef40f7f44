"""The picture has a panel for each contest and a bar for each contender, drawn to scale."""

import xml.etree.ElementTree as ET
from dataclasses import replace

from bench.chart import chart
from bench.figures import Row
from bench.measure import Spent

_SVG = "{http://www.w3.org/2000/svg}"


def _row(project: str, contender: str, wall: float, mode: str = "cold") -> Row:
    return Row(project=project, contender=contender, mode=mode, spent=Spent(wall=wall, cpu=wall, peak=0))


def _bars(svg: str) -> list[int]:
    root = ET.fromstring(svg)  # noqa: S314 - what the bench wrote itself
    return [int(rect.attrib["width"]) for rect in root.iter(f"{_SVG}rect") if "x" in rect.attrib]


def test_bars_are_as_long_as_the_times() -> None:
    bars = _bars(chart([_row("orders", "usual chain", 40), _row("orders", "shipsafe build", 10)], title="t"))
    assert bars[0] == 4 * bars[1]


def test_each_panel_has_its_own_scale() -> None:
    rows = [
        _row(name, who, wall)
        for name, scale in (("a", 1), ("b", 100))
        for who, wall in (("usual chain", 4 * scale), ("shipsafe build", scale))
    ]
    first, second, third, fourth = _bars(chart(rows, title="t"))
    assert (first, second) == (third, fourth)


def test_what_stands_alone_is_no_contest() -> None:
    assert _bars(chart([_row("scale", "shipsafe build", 3)], title="t")) == []


def test_names_cannot_break_the_picture() -> None:
    svg = chart([_row("<b>&", "usual chain", 2), _row("<b>&", "shipsafe build", 1)], title="a < b & c")
    assert "<b>&" in {text.text for text in ET.fromstring(svg).iter(f"{_SVG}text")}  # noqa: S314 - likewise


def test_what_was_extrapolated_says_so_in_the_picture() -> None:
    scaled = replace(_row("a", "usual chain", 700), note="extrapolated from 10 of 50")
    svg = chart([scaled, _row("a", "shipsafe build", 10)], title="t")
    assert "700.0 s (extrapolated from 10 of 50)" in {text.text for text in ET.fromstring(svg).iter(f"{_SVG}text")}  # noqa: S314 - likewise
