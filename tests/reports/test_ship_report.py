"""What `ship` says of a line, while it goes on and when it is over."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # its stubs would be one more dependency
import pytest
from rich.console import Console

from shipsafe.errors import ConfigError, ExitCode
from shipsafe.model.deployment import Ending, Shift
from shipsafe.model.outcome import State
from shipsafe.model.ship import Leg, LegReport, Shipped, ShippedFunction, Went
from shipsafe.reports.ship import FORMS, text, write
from shipsafe.reports.ship.json_ship import schema_text
from shipsafe.reports.ship.live import live_view
from shipsafe.reports.ship.view import Moving, plain_view, silent_view

SIGNER = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/orders_2026/Abcdefghij"
EVIL = "\x1b[2K\r::error::forged | <img src=x>"


def _function(name: str, ending: Ending = Ending.DEPLOYED, **words: object) -> ShippedFunction:
    told = {"version": "7", "before": "6", "verdict": "PASS", "alias": "live"} | words
    return ShippedFunction(artifact=name, function=name, account="123456789012", region="eu-west-1", sha256="ab" * 32, signer=SIGNER,
                           ending=ending, shifts=(Shift(at=datetime(2026, 11, 21, tzinfo=UTC), percent=100),), **told)  # type: ignore[arg-type]  # fmt: skip


def _shipped(
    *functions: ShippedFunction, stopped: Leg | None = None, code: ExitCode = ExitCode.PASS, why: str = "", **words: object
) -> Shipped:
    legs, went = [], Went.PASSED
    for leg in Leg:
        now = Went.STOPPED if leg is stopped else went
        legs.append(LegReport(leg=leg, went=now, sentence=why if leg is stopped else f"{leg} is well.", seconds=1.25,
                              code=code if leg is stopped else ExitCode.PASS))  # fmt: skip
        went = Went.NOT_REACHED if leg is stopped else went
    return Shipped(project="orders", release="cd" * 32, out="dist", legs=tuple(legs), functions=functions, **words)  # type: ignore[arg-type]


def test_the_whole_screen_of_a_line_that_shipped() -> None:
    shown = write(_shipped(_function("pay"), _function("stock", Ending.UNCHANGED, before="7")), "text")
    assert (
        shown
        == """\
leg      state   time     what
build    passed    1.2 s  build is well.
sign     passed    1.2 s  sign is well.
enforce  passed    1.2 s  enforce is well.
deploy   passed    1.2 s  deploy is well.
verify   passed    1.2 s  verify is well.

function    version  digest    signer       verdict
pay:live    6 -> 7   abababab  orders_2026  PASS
stock:live  7        abababab  orders_2026  PASS, unchanged

Shipped: 2 functions run what was audited and signed. exit 0
"""
    )


def test_what_went_back_is_said_with_its_reason() -> None:
    back = _function("pay", Ending.ROLLED_BACK, reason="Version 7 had 20 errors.", verdict="")
    shipped = _shipped(back, stopped=Leg.DEPLOY, code=ExitCode.ROLLED_BACK, why="pay: Version 7 had 20 errors.")
    lines = write(shipped, "text").splitlines()
    assert "pay:live  6 (not 7)  abababab  orders_2026  rolled-back" in lines
    assert "pay:live: Version 7 had 20 errors." in lines
    assert lines[-1] == "Rolled back: callers of 1 function reach what they reached before. exit 6"
    assert lines[4] == "deploy   STOPPED        1.2 s  pay: Version 7 had 20 errors."


@pytest.mark.parametrize(
    ("code", "last"),
    [
        (ExitCode.FINDINGS, "Stopped at build. exit 1"),
        (ExitCode.INTEGRITY, "Stopped at build. exit 5"),
        (
            ExitCode.INCOMPLETE,
            "Stopped at build. When that is put right, run the same command with --resume: what is done is not done again. exit 4",
        ),
    ],
)
def test_whoever_can_go_on_is_told_how(code: ExitCode, last: str) -> None:
    shipped = _shipped(stopped=Leg.BUILD, code=code, why="No.")
    assert write(shipped, "text").splitlines()[-1] == last
    gone = write(replace(shipped, sandbox=True), "text").splitlines()[-1]
    assert gone == f"Stopped at build. exit {int(code)}", "a sandbox is gone afterwards"


def test_an_override_stands_in_every_form() -> None:
    shipped = _shipped(_function("pay", verdict="OVERRIDDEN"), overridden="The feed is down, and orders are lost.")
    assert all("OVERRIDDEN" in write(shipped, form) for form in FORMS)
    assert "The feed is down" in write(shipped, "markdown")
    assert json.loads(write(shipped, "json"))["overridden"] == "The feed is down, and orders are lost."


def test_the_summary_of_a_step_has_a_table_of_what_runs() -> None:
    lines = write(_shipped(_function("pay"), local=True), "markdown").splitlines()
    table = lines.index("| function | version | digest | signer | verdict |")
    assert lines[table + 2] == f"| pay:live | 6 -&gt; 7 | {'ab' * 32} | orders\\_2026/Abcdefghij | PASS |"
    assert "LOCAL: what answered is the endpoint on this machine, and not AWS." in lines


def test_json_has_the_published_shape() -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for shipped in (
        _shipped(_function("pay"), _function(EVIL, Ending.ROLLED_BACK, alias="", reason=EVIL, verdict="")),
        _shipped(stopped=Leg.SIGN, code=ExitCode.INCOMPLETE, why=EVIL),
    ):
        jsonschema.validate(json.loads(write(shipped, "json")), schema)
    published = Path(__file__).resolve().parents[2] / "configs" / "ship.schema.json"
    assert published.read_text() == (files("shipsafe.reports") / "data" / "ship.schema.json").read_text()


def test_text_from_outside_can_only_be_read() -> None:
    shipped = _shipped(_function(EVIL, Ending.REFUSED, reason=EVIL), stopped=Leg.DEPLOY, code=ExitCode.INTEGRITY, why=EVIL, overridden=EVIL)
    for form in ("text", "markdown"):
        shown = write(shipped, form)
        assert "\x1b" not in shown
        assert "\r" not in shown
        assert "::error::" not in shown
    assert "<img" not in write(shipped, "markdown")
    stream = io.StringIO()
    with plain_view(stream) as view:
        view.begin(Leg.DEPLOY)
        view.say(EVIL)
        view.move(Moving(function=EVIL, state=EVIL))
    assert "\x1b" not in stream.getvalue()
    assert "::error::" not in stream.getvalue()


def test_a_form_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no format 'yaml'"):
        write(_shipped(), "yaml")


def test_a_log_gets_a_line_for_each_thing_that_changes() -> None:
    stream = io.StringIO()
    with plain_view(stream, mark="LOCAL ", title="shipsafe ship orders") as view:
        view.begin(Leg.BUILD)
        with view.progress() as progress:
            progress.start(["function:a", "function:b"], ["lint"])
            for column in ("stage", "lint", "pack"):
                progress.update("function:a", column, State.ANSWERED)
            progress.say("A remark.")
        view.end(LegReport(leg=Leg.BUILD, went=Went.PASSED, sentence="2 zips pass.", seconds=2.04))
        view.begin(Leg.DEPLOY)
        for _ in range(2):
            view.move(Moving(function="pay", alias="live", before="6", version="7", percent=40, state="watched"))
        view.end(LegReport(leg=Leg.VERIFY, went=Went.NOT_REACHED))
    assert stream.getvalue().splitlines() == [
        "LOCAL shipsafe ship orders",
        "LOCAL build: 2 to look at",
        "LOCAL build: 1 of 2: function:a",
        "LOCAL build: A remark.",
        "LOCAL build: passed: 2 zips pass. (2.0 s)",
        "LOCAL deploy: pay:live 6 -> 7: 40 %, watched",
    ]


def test_a_terminal_shows_legs_functions_and_percentages_and_keeps_them() -> None:
    console = Console(file=io.StringIO(), width=100, height=30, force_terminal=True, color_system=None)
    with live_view(console, mark="LOCAL ", title="shipsafe ship orders") as view:
        view.begin(Leg.BUILD)
        view.end(LegReport(leg=Leg.BUILD, went=Went.PASSED, sentence="2 zips pass.", seconds=2.04))
        view.begin(Leg.DEPLOY)
        view.move(Moving(function="pay", alias="live", before="6", version="7", percent=50, state="watched"))
        view.move(Moving(function="stock", state="waits"))
        with view.apart():
            console.print("Go on? [y/N]", markup=False)
    with console.capture() as captured:
        console.print(view.picture())
    lines = [line.rstrip() for line in captured.get().splitlines()]
    assert lines[0] == "LOCAL shipsafe ship orders"
    assert lines[1].startswith("LOCAL \u2713 build    2 zips pass.")
    assert lines[1].endswith("2.0 s")
    assert lines[4].startswith("LOCAL \u25cf deploy   0 of 2 done")
    assert lines[5].split() == ["LOCAL", "pay:live", "6", "->", "7", "\u2501" * 12 + "\u254c" * 12, "50", "%", "watched"]
    assert lines[7] == "LOCAL \u25cb verify"
    assert "Go on? [y/N]" in console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


def test_of_many_functions_those_that_move_are_shown_while_they_do() -> None:
    console = Console(file=io.StringIO(), width=100, height=15, force_terminal=True, color_system=None)
    with live_view(console) as view:
        view.begin(Leg.DEPLOY)
        for number in range(100):
            view.move(Moving(function=f"f{number}", state="deployed", done=True))
        view.move(Moving(function="f99", percent=40, state="watched"))
        assert any("f99" in str(row) for row in view.picture().renderables)
        assert len(view.picture().renderables) < 15
    assert len(view.picture().renderables) > 100


def test_nothing_is_shown_to_who_asked_for_nothing() -> None:
    with silent_view() as view:
        view.begin(Leg.BUILD)
        view.say("x")
        view.move(Moving(function="pay"))
        with view.apart():
            pass


def test_what_stopped_it_is_told_in_full_on_a_terminal() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    text.screen(_shipped(stopped=Leg.SIGN, code=ExitCode.INCOMPLETE, why="AWS is down."), console, legs=False)
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    assert "sign is well" not in shown
    assert "Stopped at sign." in shown
