"""An old project that begins with shipsafe: green on the day it begins, red for what is new, and honest about the rest."""

import re
from pathlib import Path

import pytest

from tests.end_to_end.program import shipsafe

FILE = "shipsafe-baseline.toml"
WRITE = ("check", "--write-baseline", FILE, "--baseline-owner", "team@example.com")
TEMPLATE = """\
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src
      Layers: [arn:aws:lambda:eu-west-1:999988887777:layer:tools:3]
"""
SHELL = "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['x'], shell=True)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two things that block, in the folder of a repository."""
    root = tmp_path / "old"
    (root / ".git").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "src" / "app.py").write_text(SHELL)
    (root / "template.yaml").write_text(TEMPLATE)
    (root / "advisories").mkdir()
    (root / "shipsafe.toml").write_text('[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n')
    record = '{"id": "PYSEC-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nothing"}}]}'
    (root / "advisories" / "PYSEC-1.json").write_text(record)
    return root


def test_green_on_the_first_day_and_red_for_what_is_new(project: Path) -> None:
    assert shipsafe("check", cwd=project).code == 1
    first = shipsafe(*WRITE, cwd=project)
    assert first.code == 0, first.out + first.err
    assert f"hint: {FILE} written: 2 known findings, 2 of them new and 0 from before." in first.out
    assert f'hint: So that every run knows it, add `baseline = "{FILE}"` to the policy.' in first.out
    assert first.out.splitlines()[-1] == "PASS  1 subject, 5 gates; 2 known, 2 allowed. exit 0"
    again = shipsafe("check", "--baseline", FILE, cwd=project)
    assert again.code == 0
    assert f"baseline: {FILE}, 2 entries: 2 known, 0 gone, 0 lapsed" in again.out
    # Lines move, and one thing more is wrong.
    (project / "src" / "app.py").write_text("# moved\n\n\n" + SHELL + "    eval(event['y'])\n    subprocess.run(event['z'], shell=True)\n")
    new = shipsafe("check", "--baseline", FILE, cwd=project)
    assert new.code == 1
    assert new.out.splitlines()[-1] == "FAIL  1 finding blocks (1 high) in 1 of 1 subject; the baseline knows 2 more. exit 1"


def test_the_policy_names_it_and_every_format_shows_it(project: Path) -> None:
    shipsafe(*WRITE, cwd=project)
    policy = project / "shipsafe.toml"
    policy.write_text(f'baseline = "{FILE}"\n' + policy.read_text())
    (project / "src" / "app.py").write_text("def handler(event, context):\n    eval(event['y'])\n    assert event\n")
    done = shipsafe("check", "--format", "json", cwd=project)
    assert done.code == 0, done.err
    report = done.report
    assert report["baseline"]["path"] == FILE
    assert [entry["rule"] for entry in report["verdict"]["vanished"]] == ["lint/B602"]
    assert [one["baseline"]["owner"] for one in report["findings"] if one["decision"] == "baselined"] == ["team@example.com"]
    (project / "report.json").write_text(done.out)
    for name, words in {
        "text": ["Gone from the baseline (1)", "high lint/B602 for function:Hello:", "1 known, 1 gone, 0 lapsed; write it again"],
        "markdown": ["### Known: the baseline has these, and they do not block (1)", "### Gone from the baseline (1)"],
        "sarif": ['"baselineState": "unchanged"', '"baselineState": "new"', "Gone from the baseline: high lint/B602"],
        "junit": ["known: high layers/untrusted-publisher"],
        "csv": ['"known","high","layers"'],
    }.items():
        shown = shipsafe("report", "show", "report.json", "--format", name, cwd=project).out
        assert all(word in shown for word in words), (name, shown)


def test_written_again_it_keeps_what_people_wrote_and_drops_what_is_gone(project: Path) -> None:
    shipsafe(*WRITE, cwd=project)
    file = project / FILE
    text = re.sub(r"date = \S+\nowner = \S+", 'date = 2026-05-01\nowner = "ann"\nexpires = 2999-01-01', file.read_text())
    file.write_text(text)
    (project / "src" / "app.py").write_text("def handler(event, context):\n    return 1\n")
    policy = project / "shipsafe.toml"
    policy.write_text(f'baseline = "{FILE}"\n' + policy.read_text())
    again = shipsafe(*WRITE, cwd=project)
    assert again.code == 0
    assert "So that every run knows it" not in again.out
    assert "1 known finding, 0 of them new and 1 from before." in again.out
    assert "Gone, and no more in it: lint/B602 for function:Hello." in again.out
    kept = file.read_text()
    assert kept.count("[[findings]]") == 1
    assert 'date = 2026-05-01\nowner = "ann"\nexpires = 2999-01-01\n' in kept
    shipsafe(*WRITE, cwd=project)
    assert file.read_text() == kept


def test_an_entry_that_has_ended_blocks_again(project: Path) -> None:
    shipsafe(*WRITE, cwd=project)
    file = project / FILE
    file.write_text(re.sub(r"date = \S+\n(owner = \S+)", r"date = 2026-05-01\n\1\nexpires = 2026-06-30", file.read_text()))
    for words in (("check", "--baseline", FILE), WRITE):
        done = shipsafe(*words, cwd=project)
        assert done.code == 1
        assert "Lapsed: in the baseline, and blocking again (2)" in done.out
        assert "lint/B602 for function:Hello (team@example.com): It ended on 2026-06-30." in done.out


def test_what_nobody_could_look_at_stays_incomplete(project: Path) -> None:
    shipsafe(*WRITE, cwd=project)
    (project / "src" / "app.py").write_text("def handler(event, context:\n")
    done = shipsafe(*WRITE, cwd=project)
    assert done.code == 4
    assert "What could not be looked at is not in it: whatever it hides will be new." in done.out
    assert 'rule = "lint/B602"' in (project / FILE).read_text()  # it may still be there: nobody looked


def test_a_run_of_some_functions_leaves_the_entries_of_others(project: Path) -> None:
    other = TEMPLATE.split("Resources:\n")[1].replace("Hello", "Other")
    (project / "template.yaml").write_text(TEMPLATE + other)
    assert shipsafe(*WRITE, cwd=project).code == 0
    before = (project / FILE).read_text()
    assert before.count("[[findings]]") == 4
    done = shipsafe(*WRITE, "--function", "Other", cwd=project)
    assert done.code == 0
    assert (project / FILE).read_text() == before


def test_only_a_baseline_is_overwritten(project: Path) -> None:
    before = (project / "shipsafe.toml").read_text()
    done = shipsafe("check", "--write-baseline", "shipsafe.toml", "--baseline-owner", "o", cwd=project)
    assert done.code == 2
    assert "shipsafe.toml:1: Not a baseline of shipsafe." in done.err
    assert (project / "shipsafe.toml").read_text() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--write-baseline", FILE), "Nobody answers for the baseline: git knows no user.email here."),
        (("--write-baseline", FILE, "--baseline-owner", "a\nb"), "The owner of the baseline is no name of at most 200 characters."),
        (("--write-baseline", FILE, "--baseline", "b.toml"), "--write-baseline and --baseline name two files."),
        (("--write-baseline", "off"), "--write-baseline says `off`, which is no file."),
        (("--write-baseline", FILE, "--baseline-expires", "2026-01-01"), "--baseline-expires 2026-01-01 is not a day to come."),
        (("--baseline-owner", "o"), "--baseline-owner and --baseline-expires speak of what --write-baseline records."),
        (("--baseline", FILE), f"{FILE}: There is no such baseline."),
        (("--fail-on", "sometimes"), "--fail-on 'sometimes': there is no severity 'sometimes'."),
    ],
)
def test_what_is_said_of_options_that_cannot_be_used(project: Path, words: tuple[str, ...], message: str) -> None:
    done = shipsafe("check", *words, cwd=project, env={"HOME": str(project), "GIT_CONFIG_NOSYSTEM": "1"})
    assert done.code == 2
    assert message in done.err
    assert not (project / FILE).exists()


def test_fail_on_loosens_and_tightens_one_run_and_says_so(project: Path) -> None:
    loose = shipsafe("check", "--fail-on", "critical", cwd=project)
    assert loose.code == 0
    assert "policy: shipsafe.toml, with --fail-on critical" in loose.out
    tight = shipsafe("check", "--fail-on", "never", "--fail-on", "lint=low", "--format", "json", cwd=project)
    assert tight.code == 1
    assert tight.report["overrides"] == ["--fail-on never", "--fail-on lint=low"]
    assert {one["rule"].partition("/")[0] for one in tight.report["findings"] if one["decision"] == "blocking"} == {"lint"}


def test_build_publishes_what_only_has_known_findings(project: Path) -> None:
    done = shipsafe("build", *WRITE[1:], "--baseline-expires", "2999-12-31", cwd=project)
    assert done.code == 0, done.err
    assert (project / "dist" / "Hello.zip").is_file()
    assert (project / FILE).read_text().count("expires = 2999-12-31") == 2
