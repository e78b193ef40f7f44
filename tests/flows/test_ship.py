"""`ship`, from the source to what runs, against the local endpoint."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.ship import ship
from shipsafe.flows.ship_journal import LineJournal
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.deployment import Ending
from shipsafe.model.override import BreakGlass
from shipsafe.model.ship import Leg, Shipped, Went
from tests.flows.line import Agreeing, Watching, made, project, request
from tests.local.functions.world import zipped
from tests.local_endpoint import client


@pytest.fixture
def root(tmp_path: Path, local_aws: Endpoint) -> Path:
    found = project(tmp_path)
    made(found)
    local_aws.functions.configure({"creating": 0.0, "updating": 0.0})
    return found


def _went(shipped: Shipped) -> list[str]:
    return [leg.went for leg in shipped.legs]


def _jobs() -> int:
    return len(client("signer").list_signing_jobs()["jobs"])


def _versions(name: str) -> list[str]:
    return [one["Version"] for one in client("lambda").list_versions_by_function(FunctionName=name)["Versions"]]


def test_a_line_goes_from_the_source_to_what_runs_and_a_second_one_repeats_nothing(root: Path, local_aws: Endpoint) -> None:
    asked = request(root, local_aws)
    agree, watch = Agreeing(), Watching()
    first = ship(asked, watch, agree)
    assert first.exit_code is ExitCode.PASS, first.ended
    assert _went(first) == ["passed"] * 5
    assert agree.asked == [Leg.SIGN, Leg.DEPLOY]
    assert watch.begun == list(Leg)
    assert [(one.function, one.alias, one.version, one.verdict) for one in first.functions] == [
        ("pay", "live", "1", "PASS"),
        ("Stock", "live", "1", "PASS"),
    ]
    manifest = json.loads((root / "dist" / "shipsafe.json").read_text())
    signed = {one["name"]: one["signatures"][0] for one in manifest["artifacts"]}
    running = {name: client("lambda").get_function(FunctionName=name, Qualifier="live")["Configuration"] for name in ("pay", "Stock")}
    assert running["pay"]["CodeSha256"] == signed["Pay"]["code_sha256"]
    assert [one.sha256 for one in first.functions] == [signed["Pay"]["sha256"], signed["Stock"]["sha256"]]
    jobs = _jobs()

    again = Agreeing()
    second = ship(asked, Watching(), again)
    assert second.exit_code is ExitCode.PASS
    assert _went(second) == ["passed", "done before", "passed", "done before", "passed"]
    assert again.asked == []
    assert [one.ending for one in second.functions] == [Ending.UNCHANGED] * 2
    assert second.release == first.release
    assert (_jobs(), _versions("pay")) == (jobs, ["$LATEST", "1"])

    resumed = ship(replace(asked, resume=True), Watching(), again)
    assert _went(resumed) == ["done before", "done before", "passed", "done before", "passed"]
    assert resumed.record is None, "no gate was asked by a leg that was left out"


def test_a_line_that_stopped_goes_on_where_it_was_also_on_another_machine(root: Path, local_aws: Endpoint, tmp_path: Path) -> None:
    asked = request(root, local_aws)
    stopped = ship(asked, Watching(), Agreeing(never=Leg.DEPLOY))
    assert stopped.exit_code is ExitCode.INTERRUPTED
    assert _went(stopped) == ["passed", "passed", "passed", "declined", "not reached"]
    assert client("lambda").list_functions()["Functions"] == []
    elsewhere = tmp_path / "other machine"
    shutil.copytree(root / "dist", elsewhere)
    (elsewhere / ".shipsafe" / "ship.json").unlink()
    (root / "src" / "pay" / "app.py").write_text("this is not even Python (")  # what was built is not built again

    agree = Agreeing()
    there = replace(asked, build=replace(asked.build, out=elsewhere, policy=root / "shipsafe.toml"), resume=True)
    done = ship(there, Watching(), agree)
    assert done.exit_code is ExitCode.PASS, done.ended
    assert _went(done) == ["done before", "done before", "passed", "passed", "passed"]
    assert agree.asked == [Leg.DEPLOY]
    assert done.release == stopped.release
    here = ship(replace(asked, resume=True), Watching(), agree)
    assert "which had finished build, sign, enforce" in here.remarks[0]
    assert _went(here)[3] == "done before", "the other machine has deployed it"
    assert _versions("pay") == ["$LATEST", "1"]


def test_a_build_that_was_begun_and_did_not_end_is_done_again(root: Path, local_aws: Endpoint) -> None:
    """The release in the folder is the one before: it is not what somebody wanted to ship."""
    asked = request(root, local_aws, dry_run=True)
    before = ship(asked, Watching(), Agreeing(never=Leg.SIGN))
    assert _went(before)[:2] == ["passed", "planned"]
    assert before.exit_code is ExitCode.PASS
    (root / "src" / "pay" / "app.py").write_text("def handler(event, context):\n    return 2\n")
    LineJournal(root / "dist").begin(datetime(2026, 11, 21, 12, tzinfo=UTC))  # and then it was killed
    after = ship(replace(asked, resume=True), Watching(), Agreeing(never=Leg.SIGN))
    assert _went(after)[:2] == ["passed", "planned"]
    assert after.release != before.release


def test_evidence_that_a_killed_run_has_not_kept_is_kept_by_the_next(root: Path, local_aws: Endpoint) -> None:
    """The manifest is written before the evidence is kept; what it says of signatures proves nothing of that."""
    (root / "shipsafe.toml").write_text('evidence = "kept"\n' + (root / "shipsafe.toml").read_text())
    asked = request(root, local_aws)
    stopped = ship(asked, Watching(), Agreeing(never=Leg.DEPLOY))
    assert _went(stopped)[:2] == ["passed", "passed"]
    shutil.rmtree(root / "kept")
    line = LineJournal(root / "dist").begin(datetime(2026, 11, 21, 12, tzinfo=UTC))
    LineJournal(root / "dist").finish(line, Leg.BUILD, stopped.release)  # killed in the second leg
    resumed = ship(replace(asked, resume=True), Watching(), Agreeing(never=Leg.DEPLOY))
    assert _went(resumed)[:2] == ["done before", "done before"]
    assert "evidence kept in" in resumed.legs[1].sentence
    assert any((root / "kept").rglob("*"))
    assert _jobs() == 2, "nothing was signed twice"


def test_a_function_that_takes_unsigned_code_stops_the_line_before_anything_runs(root: Path, local_aws: Endpoint) -> None:
    functions = client("lambda")
    functions.create_function(FunctionName="pay", Runtime="python3.13", Handler="app.handler", Role="arn:aws:iam::123456789012:role/x",
                              Code={"ZipFile": zipped({"app.py": b"old"})})  # fmt: skip
    before = functions.get_function_configuration(FunctionName="pay")["RevisionId"]
    shipped = ship(request(root, local_aws), Watching(), Agreeing())
    assert shipped.exit_code is ExitCode.INTEGRITY
    assert _went(shipped) == ["passed", "passed", "stopped", "not reached", "not reached"]
    assert shipped.ended is not None
    assert shipped.ended.leg is Leg.ENFORCE
    assert "pay" in shipped.ended.sentence
    assert "`shipsafe enforce` says what to change, and does it." in shipped.ended.notes
    assert functions.get_function_configuration(FunctionName="pay")["RevisionId"] == before


def test_functions_that_are_not_there_are_not_made_unless_somebody_says_so(root: Path, local_aws: Endpoint) -> None:
    shipped = ship(request(root, local_aws, create=False), Watching(), Agreeing())
    assert shipped.exit_code is ExitCode.INCOMPLETE
    assert shipped.ended is not None
    assert "--create makes functions that are not there." in shipped.ended.notes
    assert client("lambda").list_functions()["Functions"] == []


def test_what_the_gates_find_ends_the_line_and_leaves_nothing(root: Path, local_aws: Endpoint) -> None:
    (root / "src" / "pay" / "app.py").write_text(
        "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['x'], shell=True)\n"
    )
    (root / "shipsafe.toml").write_text((root / "shipsafe.toml").read_text() + '[gates.lint]\nfail-on = "low"\n')
    shipped = ship(request(root, local_aws), Watching(), Agreeing())
    assert shipped.exit_code is ExitCode.FINDINGS
    assert _went(shipped) == ["stopped"] + ["not reached"] * 4
    assert shipped.record is not None
    assert shipped.record.verdict.blocking
    assert not (root / "dist").exists()
    assert _jobs() == 0


def test_a_fix_is_shipped_under_break_glass_until_a_clean_release_takes_its_place(root: Path, local_aws: Endpoint) -> None:
    code = root / "src" / "pay" / "app.py"
    clean = code.read_text()
    code.write_text("import subprocess\n\n\ndef handler(event, context):\n    return subprocess.call(event['x'], shell=True)\n")
    asked = request(root, local_aws)
    assert ship(asked, Watching(), Agreeing()).exit_code is ExitCode.FINDINGS
    glass = replace(asked, build=replace(asked.build, break_glass=BreakGlass(reason="orders fail", by="jo@acme.example")))
    went = ship(glass, Watching(), Agreeing())
    assert (went.exit_code, _went(went), went.overridden) == (ExitCode.PASS, ["passed"] * 5, "orders fail")
    assert [one.verdict for one in went.functions] == ["OVERRIDDEN"] * 2
    assert went.legs[-1].sentence.endswith("hold, under the override.")
    refused = ship(replace(asked, resume=True), Watching(), Agreeing())
    assert refused.exit_code is ExitCode.USAGE, "each step asks for it again"
    code.write_text(clean)
    again = ship(asked, Watching(), Agreeing())
    assert (again.exit_code, again.overridden, [one.verdict for one in again.functions]) == (ExitCode.PASS, "", ["PASS"] * 2)


def test_a_stage_is_shipped_to_also_where_nobody_gets_to_another_one(root: Path, local_aws: Endpoint) -> None:
    stages = ["", 'name = "dev"\ntarget = "dev"\n', 'name = "far"\ntarget = "dev"\naccount = "999988887777"\n']
    (root / "shipsafe.toml").write_text((root / "shipsafe.toml").read_text() + "\n[[deploy.stage]]\n".join(stages))
    shipped = ship(request(root, local_aws, stage="dev"), Watching(), Agreeing())
    assert shipped.exit_code is ExitCode.PASS, shipped.ended
    assert [one.function for one in shipped.functions] == ["pay", "Stock"]
    far = ship(request(root, local_aws, stage="far"), Watching(), Agreeing())
    assert far.exit_code is not ExitCode.PASS
    assert far.functions == ()


def test_a_journal_that_cannot_be_written_stops_nothing(root: Path, local_aws: Endpoint) -> None:
    """A folder in its place, as if the disk refused."""
    (root / "dist" / ".shipsafe" / "ship.json" / "x").mkdir(parents=True)
    shipped = ship(request(root, local_aws, dry_run=True, resume=True), Watching(), Agreeing(never=Leg.SIGN))
    assert _went(shipped)[:2] == ["passed", "planned"]
    assert "could not be written down" in shipped.remarks[0]


@pytest.mark.usefixtures("local_aws")
def test_a_policy_that_does_not_say_where_to_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    root = project(tmp_path)
    policy = root / "shipsafe.toml"
    told = policy.read_text()
    policy.write_text(f"{told}\n{told[told.index('[[sign.target]]') :].replace('dev', 'prod').replace('orders-', 'prod-')}")
    with pytest.raises(ConfigError, match="several places to ship to: dev, prod"):
        ship(request(root), Watching(), Agreeing())
    with pytest.raises(ConfigError, match=r"no \[\[deploy.stage\]\] 'night'"):
        ship(request(root, stage="night"), Watching(), Agreeing())
    policy.write_text(told[: told.index("[[sign.target]]")])
    with pytest.raises(ConfigError, match="names no place to sign"):
        ship(request(root), Watching(), Agreeing())
    assert not (root / "dist").exists()


def test_two_lines_in_one_folder_are_told_apart(root: Path, local_aws: Endpoint) -> None:
    """A leg goes on with the release of its own line, or not at all."""

    def meddle(leg: Leg, _run: object) -> None:
        if leg is Leg.ENFORCE:
            (root / "src" / "stock" / "app.py").write_text("def handler(event, context):\n    return 3\n")
            ship(request(root, local_aws, dry_run=True), Watching(), Agreeing(never=Leg.SIGN))

    shipped = ship(request(root, local_aws), Watching(), Agreeing(), ahead=meddle)
    assert shipped.exit_code is ExitCode.INTEGRITY
    assert shipped.legs[2].went is Went.STOPPED
    assert "Another release was put into the folder meanwhile" in shipped.legs[2].sentence
