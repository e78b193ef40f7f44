"""Bad input gets one clear message, the right exit code, and never a traceback."""

import resource
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.program import command, environment, shipsafe

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
"""
POLICY = '[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n'
RECORD = (
    '{"id": "PYSEC-0000-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nothing"}, '
    '"versions": ["1"]}]}'
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one function and no dependencies."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "advisories").mkdir()
    (folder / "advisories" / "PYSEC-0000-1.json").write_text(RECORD)
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "shipsafe.toml").write_text(POLICY)
    (folder / "src" / "app.py").write_text("def handler(event, context):\n    return {}\n")
    return folder


def test_the_small_project_passes(project: Path) -> None:
    done = shipsafe("build", cwd=project)
    assert done.code == 0, done.out + done.err


def test_a_missing_path(tmp_path: Path) -> None:
    done = shipsafe("build", "nowhere", cwd=tmp_path)
    assert (done.code, done.err) == (2, "error: nowhere: There is no such file or folder. Name the project's folder or its template.\n")


def test_an_empty_project_is_nothing_to_examine(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    done = shipsafe("build", cwd=tmp_path)
    assert done.code == 3
    assert not (tmp_path / "dist").exists()


def test_a_runtime_that_lambda_does_not_have_is_not_taken_for_another_language(project: Path) -> None:
    """Of Node, the gates that look at Python are not asked; of `Python3.13` nobody may say so."""
    template = (project / "template.yaml").read_text()
    assert "python3.13" in template
    for written, code in (("nodejs22.x", 0), ("Python3.13", 4)):
        (project / "template.yaml").write_text(template.replace("python3.13", written))
        (project / "src" / "app.js").write_text("exports.handler = async () => ({})\n")
        done = shipsafe("check", cwd=project)
        assert done.code == code, done.out + done.err
        assert ("is not one of Lambda's" in done.out) == (code == 4)


def test_broken_yaml_names_line_and_column(project: Path) -> None:
    (project / "template.yaml").write_text("Resources:\n  Hello: [unclosed\n")
    done = shipsafe("check", cwd=project)
    assert done.code == 2
    assert done.err.startswith("error: template.yaml:3:1: ")


def spent() -> float:
    """Seconds of processor time of all children so far: a machine that stands still or is busy adds none."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_a_yaml_bomb_and_a_huge_template_are_refused_in_seconds(project: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    for text in ("\n".join(lines), "Resources:\n" + "  A: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'\n" * 1_000_000):
        (project / "template.yaml").write_text(text)
        began = spent()
        done = shipsafe("check", cwd=project)
        assert done.code == 2, done.out
        assert spent() - began < 20


def test_an_unknown_policy_key_names_the_nearest(project: Path) -> None:
    (project / "shipsafe.toml").write_text("requird = []\n")
    done = shipsafe("check", cwd=project)
    assert (done.code, done.err) == (2, "error: shipsafe.toml:1: Unknown key `requird`. Did you mean `required`?\n")


def test_unknown_options_and_formats_are_usage_errors(project: Path) -> None:
    for words in (
        ["build", "--fial-on", "x"],
        ["build", "--format", "pdf"],
        ["build", "--report", "sarif"],
        ["bild"],
        ["check", "--jobs", "0"],
    ):
        done = shipsafe(*words, cwd=project)
        assert done.code == 2, words
        assert done.err.startswith("error: ")
        assert done.err.count("\n") == 1


def test_a_handler_with_a_syntax_error_says_where(project: Path) -> None:
    (project / "src" / "app.py").write_text("def handler(event, context:\n    return {}\n")
    done = shipsafe("check", "--format", "json", cwd=project)
    assert done.code == 4, "lint could not look at the file"
    assert "package/handler-missing" in done.rules
    lint = next(outcome for outcome in done.report["outcomes"] if outcome["gate"] == "lint")
    assert lint["state"] == "unanswered"
    assert "src/app.py:1" in lint["reason"]


def test_a_link_out_of_the_project_is_not_shipped(project: Path) -> None:
    secret = project.parent / "secret.txt"
    secret.write_text("not yours\n")
    (project / "src" / "notes.txt").symlink_to(secret)
    done = shipsafe("build", "--format", "json", cwd=project)
    assert done.code == 1
    assert "package/escaping-link" in done.rules


def test_a_fault_in_one_function_does_not_stop_the_others(project: Path) -> None:
    second = TEMPLATE.partition("Resources:\n")[2].replace("Hello", "Other").replace("src/", "gone/")
    (project / "template.yaml").write_text(TEMPLATE + second)
    done = shipsafe("build", "--format", "json", cwd=project)
    assert done.code == 4
    states = {(one["subject"], one["gate"]): one["state"] for one in done.report["outcomes"]}
    assert states["function:Hello", "package"] == "answered"
    assert states["function:Other", "package"] == "unanswered"
    assert states["function:Other", "layers"] == "answered"


def test_an_output_folder_that_cannot_be_written(project: Path) -> None:
    (project / "dist").write_text("a file\n")
    done = shipsafe("build", cwd=project)
    assert done.code == 4
    assert (project / "dist").read_text() == "a file\n"


def test_a_snapshot_that_leads_out_of_its_zip_is_refused_and_the_old_one_stays(project: Path, tmp_path: Path) -> None:
    good, evil, torn = tmp_path / "good.zip", tmp_path / "evil.zip", tmp_path / "torn.zip"
    with zipfile.ZipFile(good, "w") as archive:
        archive.writestr("PYSEC-0000-1.json", RECORD)
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("PYSEC-0000-2.json", RECORD)
        archive.writestr("../../evil.json", RECORD)
    torn.write_bytes(good.read_bytes()[:-40])
    assert shipsafe("advisories", "pull", "--from", good, cwd=project).code == 0
    for bad in (evil, torn):
        done = shipsafe("advisories", "pull", "--from", bad, cwd=project)
        assert done.code == 4
        assert "stays in use" in done.err
    status = shipsafe("advisories", "status", cwd=project)
    assert status.code == 0
    assert "good.zip" in status.out
    shown = shipsafe("advisories", "show", "PYSEC-0000-1", cwd=project)
    assert "PYSEC-0000-1  unscored" in shown.out


def test_no_snapshot_offline_is_incomplete_and_never_a_pass(project: Path) -> None:
    (project / "shipsafe.toml").unlink()
    vendored = project / "src" / "idna-3.20.dist-info"
    vendored.mkdir()
    (vendored / "METADATA").write_text("Metadata-Version: 2.1\nName: idna\nVersion: 3.20\n")
    done = shipsafe("check", "--offline", "--format", "json", cwd=project)
    assert done.code == 4
    gate = next(outcome for outcome in done.report["outcomes"] if outcome["gate"] == "dependencies")
    assert gate["state"] == "unanswered"
    assert "--offline opens no socket" in gate["reason"]


def test_a_second_build_waits_for_the_first_and_says_so(project: Path) -> None:
    from filelock import FileLock  # noqa: PLC0415 - only this test holds the lock

    (project / "dist" / ".shipsafe").mkdir(parents=True)
    with FileLock(project / "dist" / ".shipsafe" / "lock"):
        child = subprocess.Popen(
            command("build"), cwd=project, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stderr is not None
        assert "waiting" in child.stderr.readline()
        assert child.poll() is None
    child.communicate(timeout=300)
    assert child.returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_the_run_and_leaves_nothing(project: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    """The lock is held by us, so the program is surely in the middle of its work when the signal comes."""
    from filelock import FileLock  # noqa: PLC0415 - only this test and the one above hold the lock

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (project / "dist" / ".shipsafe").mkdir(parents=True)
    with FileLock(project / "dist" / ".shipsafe" / "lock"):
        child = subprocess.Popen(command("build"), cwd=project, env=environment({"TMPDIR": str(temporary)}), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)  # fmt: skip
        assert child.stderr is not None
        child.stderr.readline()
        child.send_signal(number)
        _, rest = child.communicate(timeout=300)
    assert child.returncode == code
    assert rest.endswith("ed: children were ended, nothing was published.\n")
    assert "Traceback" not in rest
    assert not (project / "dist" / "shipsafe.json").exists()
    assert list(temporary.iterdir()) == []


def test_hostile_names_reach_no_terminal_and_no_workflow_log(project: Path) -> None:
    (project / "src" / "a\x1b[31m::error::b.env").write_text("x\n")
    (project / "src" / ".env").write_text("x\n")
    for kind in ("text", "github", "markdown"):
        done = shipsafe("check", "--format", kind, cwd=project)
        assert "\x1b" not in done.out + done.err
        assert not any(line.startswith("::error::b") for line in done.out.splitlines())
