"""The lint gate, with the real bandit."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from shipsafe.adapters.bandit import LARGEST, MOST, SERVER, BanditReport, Issue, lint
from shipsafe.adapters.bandit_settings import BanditSettings
from shipsafe.adapters.forkserver import ForkServer
from shipsafe.adapters.process import run
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.gates.lint import GATE
from shipsafe.model.finding import Finding
from shipsafe.model.location import Location
from shipsafe.model.outcome import State
from shipsafe.model.severity import Severity
from tests.gates.own_code import ask_about

SHELL = 'import subprocess\n\n\ndef handler(event, context):\n    subprocess.run("ls " + event["x"], shell=True)\n'
DATA = json.loads((Path(__file__).resolve().parents[2] / "shipsafe/gates/data/bandit-rules.json").read_text(encoding="utf-8"))


def by_rule(findings: tuple[Finding, ...], rule: str) -> Finding:
    [found] = [finding for finding in findings if finding.rule == rule]
    return found


def test_a_finding_points_into_the_project_and_keeps_severity_and_confidence(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"app.py": SHELL}))
    assert outcome.state is State.ANSWERED
    found = by_rule(outcome.findings, "lint/B602")
    assert found.location == Location(path="src/orders/app.py", line=5)
    assert (found.severity, found.confidence) == (Severity.HIGH, "high")
    assert found.subject == "function:Orders"
    assert found.message == "subprocess call with shell=True identified, security issue."
    assert "https://cwe.mitre.org/data/definitions/78.html" in found.references
    assert found.suppressed == ""
    assert outcome.evidence["files"] == 1


def test_dependencies_are_not_linted(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"app.py": "x = 1\n"}, dependencies={"lib/__init__.py": SHELL}))
    assert outcome.state is State.ANSWERED
    assert outcome.findings == ()


def test_code_without_python_is_not_asked_rather_than_passed(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"data.json": "{}"}, dependencies={"lib.py": SHELL}))
    assert outcome.state is State.NOT_ASKED


def test_nosec_is_shown_as_suppressed_with_its_place(tmp_path: Path) -> None:
    code = SHELL.replace("shell=True)", "shell=True)  # nosec B602")
    outcome = GATE.run(ask_about(tmp_path, {"app.py": code}))
    assert by_rule(outcome.findings, "lint/B602").suppressed == "# nosec at src/orders/app.py:5"
    assert by_rule(outcome.findings, "lint/B404").suppressed == ""
    assert outcome.evidence["suppressed"] == 1


def test_a_nosec_for_another_test_turns_nothing_off(tmp_path: Path) -> None:
    code = SHELL.replace("shell=True)", "shell=True)  # nosec B101")
    assert by_rule(GATE.run(ask_about(tmp_path, {"app.py": code})).findings, "lint/B602").suppressed == ""


def test_a_nosec_anywhere_in_a_statement_of_several_lines_is_found(tmp_path: Path) -> None:
    code = 'import subprocess\nsubprocess.run(\n    "ls " + name,\n    shell=True,  # nosec\n)\n'
    assert by_rule(GATE.run(ask_about(tmp_path, {"app.py": code})).findings, "lint/B602").suppressed.endswith("app.py:4")


CONFIGURATIONS = {
    "skips": '[tool.bandit]\nskips = ["B602"]\n',
    "tests": '[tool.bandit]\ntests = ["B101"]\n',
    "exclude_dirs": '[tool.bandit]\nexclude_dirs = ["src/orders"]\n',
    "options": "[tool.bandit.shell_injection]\nsubprocess = []\nshell = []\nno_shell = []\n",
}


@pytest.mark.parametrize("key", CONFIGURATIONS)
def test_the_configuration_of_the_project_is_honoured_and_named(tmp_path: Path, key: str) -> None:
    asked = ask_about(tmp_path, {"app.py": SHELL}, project_files={"pyproject.toml": CONFIGURATIONS[key]})
    found = by_rule(GATE.run(asked).findings, "lint/B602")
    assert found.suppressed == f"[tool.bandit] {key} in pyproject.toml"


@pytest.mark.parametrize("key", CONFIGURATIONS)
def test_under_strict_neither_nosec_nor_configuration_lowers_a_finding(tmp_path: Path, key: str) -> None:
    code = SHELL.replace("shell=True)", "shell=True)  # nosec")
    project = {"pyproject.toml": CONFIGURATIONS[key]}
    asked = ask_about(tmp_path, {"app.py": code}, project_files=project, settings={"suppressions": "ignore"})
    found = by_rule(GATE.run(asked).findings, "lint/B602")
    assert found.suppressed == ""
    assert found.severity is Severity.HIGH


def test_the_nearest_configuration_wins_and_one_without_bandit_is_passed_over(tmp_path: Path) -> None:
    project = {
        "src/orders/pyproject.toml": '[project]\nname = "orders"\n',
        "src/pyproject.toml": '[tool.bandit]\nskips = ["B602"]\nexclude_dirs = ["src"]\n',  # sees ./orders/app.py
        "pyproject.toml": '[tool.bandit]\nskips = ["B404"]\n',
    }
    outcome = GATE.run(ask_about(tmp_path, {"app.py": SHELL}, project_files=project))
    assert by_rule(outcome.findings, "lint/B602").suppressed == "[tool.bandit] skips in src/pyproject.toml"
    assert by_rule(outcome.findings, "lint/B404").suppressed == ""
    assert outcome.evidence["configuration"] == "src/pyproject.toml"


def test_options_of_a_test_see_the_names_of_the_project(tmp_path: Path) -> None:
    project = {"pyproject.toml": '[tool.bandit.assert_used]\nskips = ["./src/orders/test_*.py"]\n'}
    outcome = GATE.run(ask_about(tmp_path, {"test_app.py": "assert a\n", "app.py": "assert a\n"}, project_files=project))
    suppressed = {finding.location.path: finding.suppressed for finding in outcome.findings if finding.location}
    assert suppressed == {
        "src/orders/app.py": "",
        "src/orders/test_app.py": "[tool.bandit] options in pyproject.toml",
    }


def test_options_that_ask_for_more_are_honoured_too(tmp_path: Path) -> None:
    project = {"pyproject.toml": '[tool.bandit.hardcoded_tmp_directory]\ntmp_dirs = ["/mnt/shared"]\n'}
    asked = ask_about(tmp_path, {"app.py": 'x = "/mnt/shared/a"\n'}, project_files=project, settings={"suppressions": "ignore"})
    assert by_rule(GATE.run(asked).findings, "lint/B108").suppressed == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.bandit\n", "Not valid TOML"),
        ("[tool]\nbandit = 3\n", "is not a table"),
        ('[tool.bandit]\nexclude_dirs = "tests"\n', "`tool.bandit.exclude_dirs` is not a list"),
        ('[tool.bandit]\nskips = ["B101"]\ntests = ["B101"]\n', "both in tests and in skips"),
    ],
)
def test_a_broken_configuration_is_our_error_and_names_the_file(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as raised:
        GATE.run(ask_about(tmp_path, {"app.py": SHELL}, project_files={"pyproject.toml": text}))
    assert raised.value.path == "pyproject.toml"


def test_a_setting_that_is_neither_of_the_two_words_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="suppressions"):
        GATE.run(ask_about(tmp_path, {"app.py": SHELL}, settings={"suppressions": "maybe"}))


def test_a_file_that_cannot_be_parsed_is_unanswered_and_the_others_are_still_linted(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"broken.py": "x = 1\ndef f(:\n", "app.py": SHELL}))
    assert outcome.state is State.UNANSWERED
    assert outcome.reason == "src/orders/broken.py:2: cannot be linted: invalid syntax."
    assert by_rule(outcome.findings, "lint/B602").suppressed == ""


@pytest.mark.parametrize(
    "content",
    [b"x = '\xff\xfe'\n", b"x = 1\n\0\n", b"# coding: no-such-encoding\nx = 1\n", b"(" * 5000, b"-" * 200_000 + b"1\n"],
    ids=["not UTF-8", "a null byte", "unknown encoding", "brackets", "a deep tree"],
)
def test_what_is_not_python_source_is_unanswered(tmp_path: Path, content: bytes) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"app.py": content}))
    assert outcome.state is State.UNANSWERED
    assert outcome.reason.startswith("src/orders/app.py")


def test_an_encoding_cookie_is_honoured_as_python_does(tmp_path: Path) -> None:
    code = "# -*- coding: latin-1 -*-\nname = 'Stra\xdfe'\nassert name\n".encode("latin-1")
    outcome = GATE.run(ask_about(tmp_path, {"app.py": code}))
    assert outcome.state is State.ANSWERED
    assert by_rule(outcome.findings, "lint/B101").severity is Severity.LOW


def test_where_the_runtime_is_newer_the_reason_names_the_command(tmp_path: Path) -> None:
    newer = f"3.{sys.version_info[1] + 1}"
    outcome = GATE.run(ask_about(tmp_path, {"app.py": "def f(:\n"}, runtime=f"python{newer}"))
    assert outcome.state is State.UNANSWERED
    assert f"run `uvx --python {newer} shipsafe check`" in outcome.reason


def test_code_for_a_newer_runtime_that_parses_is_simply_linted(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"app.py": SHELL}, runtime=f"python3.{sys.version_info[1] + 1}"))
    assert outcome.state is State.ANSWERED


def test_an_excluded_file_need_not_be_python_unless_suppressions_are_ignored(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"app.py": "x = 1\n", "templates/{{name}}.py": "{% if x %}\n"}
    project = {"pyproject.toml": '[tool.bandit]\nexclude_dirs = ["templates"]\n'}
    (tmp_path / "honour").mkdir()
    (tmp_path / "ignore").mkdir()
    assert GATE.run(ask_about(tmp_path / "honour", files, project_files=project)).state is State.ANSWERED
    ignoring = ask_about(tmp_path / "ignore", files, project_files=project, settings={"suppressions": "ignore"})
    assert GATE.run(ignoring).state is State.UNANSWERED


def test_a_test_of_bandit_that_crashes_is_unanswered_not_silent(tmp_path: Path) -> None:
    project = {"pyproject.toml": "[tool.bandit.hardcoded_tmp_directory]\ntmp_dirs = 5\n"}
    outcome = GATE.run(ask_about(tmp_path, {"app.py": 'x = "/tmp/a"\n'}, project_files=project))
    assert outcome.state is State.UNANSWERED
    assert "hardcoded_tmp_directory" in outcome.reason
    assert "Traceback" not in outcome.reason


def test_a_huge_file_is_unanswered_without_being_read(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"app.py": b"#" * (LARGEST + 1)}))
    assert outcome.state is State.UNANSWERED
    assert "larger than 5 MiB" in outcome.reason


def test_a_file_that_would_take_gigabytes_is_named_and_not_linted(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"app.py": "", "data.py": f"data = [{'a,' * MOST}]"}))
    assert outcome.state is State.UNANSWERED
    assert "data.py: cannot be linted: too much: more than 1,000,000 names, numbers and signs" in outcome.reason


def test_code_that_is_linted_is_never_run_nor_imported(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    names = ["sitecustomize.py", "json.py", "bandit/__init__.py", "bandit/core/__init__.py", "yaml.py", "shipsafe/__init__.py"]
    outcome = GATE.run(ask_about(tmp_path, dict.fromkeys(names, evil)))
    assert outcome.state is State.ANSWERED
    assert outcome.evidence["files"] == len(names)
    assert not marker.exists()


def test_identity_survives_moved_lines_and_tells_twins_apart(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    code = "import os\nos.system(a)\nos.system(a)\n"
    before = GATE.run(ask_about(tmp_path / "before", {"app.py": code})).findings
    after = GATE.run(ask_about(tmp_path / "after", {"app.py": "\n\n# moved\n" + code})).findings
    assert {finding.identity for finding in before} == {finding.identity for finding in after}
    assert len({finding.identity for finding in before}) == len(before)


def test_a_password_in_code_is_not_repeated_in_the_report(tmp_path: Path) -> None:
    outcome = GATE.run(ask_about(tmp_path, {"app.py": "password = 'hunter2'\nconnect(password='it\\'s')\n"}))
    assert {finding.rule for finding in outcome.findings} == {"lint/B105", "lint/B106"}
    assert "hunter2" not in repr(outcome)
    assert "it's" not in repr(outcome)


def test_inline_code_points_into_the_template_and_says_its_line(tmp_path: Path) -> None:
    found = by_rule(GATE.run(ask_about(tmp_path, {"index.py": SHELL}, inline=True)).findings, "lint/B602")
    assert found.location == Location(path="template.yaml", line=7)
    assert found.message.endswith("(Line 5 of the inline code.)")


def test_bandit_that_ends_without_an_answer_is_incomplete(tmp_path: Path) -> None:
    code = tmp_path / "app.py"
    code.write_text(SHELL, encoding="utf-8")
    (tmp_path / "workspace").mkdir()
    broken = ForkServer(["/bin/false"], name="bandit")
    with pytest.raises(IncompleteError, match="bandit ended without an answer"):
        lint({"app.py": code}, BanditSettings(base=tmp_path), known=["B602"], honour=True, workspace=tmp_path / "workspace", server=broken)


def test_every_test_of_bandit_is_a_rule_with_its_name_and_page(tmp_path: Path) -> None:
    code = "import json; from shipsafe.adapters.bandit_child import catalogue; print(json.dumps(catalogue()))"
    catalogue = json.loads(run([sys.executable, "-P", "-c", code], cwd=tmp_path).stdout)
    assert {entry["id"]: [entry["name"], entry["url"]] for entry in DATA["rules"]} == catalogue
    assert [rule.id for rule in GATE.rules] == [f"lint/{entry['id']}" for entry in DATA["rules"]]


def test_every_rule_finds_its_bad_example_and_lets_its_good_one_pass(tmp_path: Path) -> None:
    """The severity and the CWE that a rule states are those bandit gives to its bad example."""
    files = {}
    for entry in DATA["rules"]:
        for kind in ("bad", "good"):
            files[f"{kind}/{entry['id']}.py"] = tmp_path / f"{kind}-{entry['id']}.py"
            files[f"{kind}/{entry['id']}.py"].write_text(entry[kind], encoding="utf-8")
    known = [entry["id"] for entry in DATA["rules"]]
    (tmp_path / "workspace").mkdir()
    report = lint(files, BanditSettings(base=tmp_path), known=known, honour=True, workspace=tmp_path / "workspace")
    assert (report.unread, report.crashes, report.unknown) == ((), (), ())

    def found(kind: str, test: str) -> list[Issue]:
        return [issue for issue in report.issues if issue.name == f"{kind}/{test}.py" and issue.test == test]

    levels = ["undefined", "low", "medium", "high"]
    for entry in DATA["rules"]:
        assert found("good", entry["id"]) == []
        worst = max(found("bad", entry["id"]), key=lambda issue: levels.index(issue.severity))
        assert (worst.test, worst.severity, worst.cwe) == (entry["id"], entry["severity"], entry["cwe"])


def test_a_test_of_a_newer_bandit_is_not_run_and_named(tmp_path: Path) -> None:
    code = tmp_path / "app.py"
    code.write_text("assert a\n", encoding="utf-8")
    (tmp_path / "workspace").mkdir()
    known = [entry["id"] for entry in DATA["rules"] if entry["id"] != "B101"]
    report = lint({"app.py": code}, BanditSettings(base=tmp_path), known=known, honour=True, workspace=tmp_path / "workspace")
    assert (report.issues, report.unknown) == ((), ("B101",))


def test_much_code_is_shared_out_and_every_file_is_asked_about_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    files = {}
    for number in range(40):
        files[f"pkg/m{number}.py"] = tmp_path / f"{number}.py"
        text = SHELL.replace("shell=True)", f"shell=True){'  # nosec' if number % 4 == 0 else ''}") + "# padding\n" * number * 50
        files[f"pkg/m{number}.py"].write_text("def f(:\n" if number == 7 else text, encoding="utf-8")
    asked: list[list[str]] = []

    class Watched(ForkServer):
        def ask(self, question: object, *, timeout: float) -> object:
            assert isinstance(question, dict)
            asked.append(question["files"])
            return SERVER.ask(question, timeout=timeout)

    server = Watched([], name="bandit")
    known = [entry["id"] for entry in DATA["rules"]]

    def report(names: Iterable[str], folder: str) -> BanditReport:
        (tmp_path / folder).mkdir()
        part = {name: files[name] for name in names}
        return lint(part, BanditSettings(base=tmp_path), known=known, honour=True, workspace=tmp_path / folder, server=server)

    whole = report(files, "whole")
    assert len(asked) == 3
    assert sorted(name for names in asked for name in names) == sorted(files)
    assert len(whole.issues) == 2 * (len(files) - 1)
    assert [one.name for one in whole.unread] == ["pkg/m7.py"]
    alone = [report([name], f"alone {name.partition('/')[2]}") for name in sorted(files)]
    assert whole.issues == tuple(sorted((issue for one in alone for issue in one.issues), key=lambda issue: (issue.name, issue.line)))


DEADLY = """
import os, pathlib, signal, sys
from shipsafe.adapters import bandit_child, forkserver

def answer(question):
    for name in question["files"]:
        if "DEADLY" in pathlib.Path(question["folder"], name).read_text():
            os.kill(os.getpid(), signal.SIGSEGV)
    return bandit_child.answer(question)

forkserver.serve(answer)
"""


@pytest.mark.parametrize("deadly", [[3], [0, 11], [*range(12)]])
def test_files_that_bandit_does_not_survive_are_named_and_the_others_linted(tmp_path: Path, deadly: list[int]) -> None:
    files = {}
    for number in range(12):
        files[f"m{number}.py"] = tmp_path / f"m{number}.py"
        files[f"m{number}.py"].write_text(SHELL + ("# DEADLY\n" if number in deadly else ""), encoding="utf-8")
    (tmp_path / "child").write_text(DEADLY, encoding="utf-8")
    (tmp_path / "workspace").mkdir()
    server = ForkServer([sys.executable, "-P", tmp_path / "child"], name="bandit")
    report = lint(files, BanditSettings(base=tmp_path), known=["B602"], honour=True, workspace=tmp_path / "workspace", server=server)
    assert {one.name for one in report.unread} == {f"m{number}.py" for number in deadly}
    assert all(one.reason.startswith("bandit ended without an answer: it was killed") for one in report.unread)
    assert {issue.name for issue in report.issues} == files.keys() - {f"m{number}.py" for number in deadly}
    (tmp_path / "again").mkdir()
    excluded = BanditSettings(base=tmp_path, table={"exclude_dirs": [f"m{number}.py" for number in deadly]})
    report = lint(files, excluded, known=["B602"], honour=True, workspace=tmp_path / "again", server=server)
    assert report.unread == ()
    server.close()


def test_where_the_system_cannot_fork_the_answers_are_the_same(tmp_path: Path) -> None:
    files = {}
    for name, text in (("app.py", SHELL), ("quiet.py", "import pickle  # nosec\n"), ("broken.py", "def f(:\n")):
        files[name] = tmp_path / name
        files[name].write_text(text, encoding="utf-8")
    single = ForkServer([sys.executable, "-P", "-m", "shipsafe.adapters.bandit_child"], name="bandit", forks=False)
    reports: list[BanditReport] = []
    for server in (SERVER, single):
        workspace = tmp_path / f"workspace {len(reports)}"
        workspace.mkdir()
        settings = BanditSettings(base=tmp_path, shown="pyproject.toml", table={"skips": ["B404"]})
        known = [entry["id"] for entry in DATA["rules"]]
        reports.append(lint(files, settings, known=known, honour=True, workspace=workspace, server=server))
    assert reports[0] == reports[1]
    assert {(issue.test, bool(issue.nosec), issue.configured) for issue in reports[0].issues} == {
        ("B602", False, ""),
        ("B404", False, "skips"),
        ("B403", True, ""),
    }
