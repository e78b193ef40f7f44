"""A start costs nothing that the command does not need."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from shipsafe import __version__
from shipsafe.cli.app import COMMANDS
from tests.end_to_end.program import environment, shipsafe

# What talks to AWS, signs or draws on a terminal: no help and no command over files needs any of it.
HEAVY = frozenset(
    ("asyncio", "bandit", "boto3", "botocore", "cyclonedx", "elftools", "jinja2", "moto", "pip_audit", "pydantic", "requests", "rich",
     "securesystemslib", "sigstore")
)  # fmt: skip
# Whose work takes half of the program: their help may not load it.
LEAN = frozenset(("build", "check", "deploy", "enforce", "layers", "report", "revoke", "ship", "sign", "verify"))
READERS = frozenset(("yaml", "jsonschema_rs", "cryptography", "asn1crypto"))


def imported(words: list[str], cwd: Path, *, code: int = 0) -> set[str]:
    """The modules that a run imports. It ends without what `atexit` would be told, so that the interpreter itself is asked."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "shipsafe", *words],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    found = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "shipsafe.errors" in found
    return found


@pytest.mark.parametrize(
    "words",
    [["--version"], ["--help"], ["keys", "--help"], ["report", "audit", "--help"], ["explain", "layers/unpinned"], ["policy", "schema"]],
)
def test_nothing_heavy_is_imported(words: list[str], tmp_path: Path) -> None:
    assert not imported(words, tmp_path) & (HEAVY | READERS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_needs_neither_aws_nor_a_terminal(name: str, tmp_path: Path) -> None:
    found = imported([name, "--help"], tmp_path)
    assert not found & HEAVY
    if name in LEAN:
        assert not {one for one in found if one.startswith(("shipsafe.flows.", "shipsafe.packing.", "shipsafe.policy."))}


def test_verifying_a_zip_needs_neither_aws_nor_a_terminal(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("app.py", "")
    assert not imported(["verify", "orders.zip"], tmp_path, code=5) & HEAVY


def test_the_library_loads_what_is_asked_for(tmp_path: Path) -> None:
    code = "import sys, shipsafe.verify; print(*(name for name in sys.modules if name.startswith('shipsafe.')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("shipsafe.verify\n", "")


def test_a_report_into_a_pipe_needs_no_rich_and_has_colours_where_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / "shipsafe.toml").write_text(
        '[[functions]]\nname = "App"\ncode = "."\nruntime = "python3.13"\nhandler = "app.handler"\n', encoding="utf-8")  # fmt: skip
    words = ("-X", "importtime", "-m", "shipsafe", "check", "--quiet", "--offline")
    for extra, imports, coloured in (({}, False, False), ({"FORCE_COLOR": "1"}, True, True)):
        kept = environment({"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), **extra})
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert ("rich.console" in done.stderr) is imports
        assert ("\x1b[" in done.stdout) is coloured
        assert "PASS" in done.stdout


def test_version(tmp_path: Path) -> None:
    for words in (["--version"],):
        done = shipsafe(*words, cwd=tmp_path)
        assert (done.code, done.out) == (0, f"shipsafe {__version__}\n")


def test_help_names_every_command_in_its_panel(tmp_path: Path) -> None:
    out = shipsafe("--help", cwd=tmp_path).out
    assert out.index("Ship:") < out.index("check") < out.index("build") < out.index("More:") < out.index("explain")
    assert all(f"  {name}" in out for name in COMMANDS)
    assert max(map(len, out.splitlines())) <= 80
    assert all(entry.summary in out for entry in COMMANDS.values()), "a summary wraps"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, tmp_path: Path) -> None:
    done = shipsafe(name, "--help", cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith(f"Usage: shipsafe {name}")


def test_explain_lists_all_rules_and_knows_the_nearest(tmp_path: Path) -> None:
    listed = shipsafe("explain", cwd=tmp_path)
    assert "layers/unpinned" in listed.out
    assert "lint/B602" in listed.out
    done = shipsafe("explain", "layers/unpined", cwd=tmp_path)
    assert done.code == 2
    assert "Did you mean 'layers/unpinned'?" in done.err


def test_policy_commands(tmp_path: Path) -> None:
    assert shipsafe("policy", "init", cwd=tmp_path).code == 0
    again = shipsafe("policy", "init", cwd=tmp_path)
    assert again.code == 2
    assert "is left as it is" in again.err
    assert "# preset baseline" in shipsafe("policy", "show", "--origin", cwd=tmp_path).out
    gates = shipsafe("policy", "gates", cwd=tmp_path)
    assert [line.split()[0] for line in gates.out.splitlines()[1:]] == ["dependencies", "layers", "lint", "package", "sbom", "workflows"]
    assert shipsafe("policy", "waivers", cwd=tmp_path).out == "There are no waivers.\n"


def test_a_reader_that_goes_away_is_no_finding(tmp_path: Path) -> None:
    """`shipsafe ... | true`: typer would end with 1, which means that something was found."""
    read, write = os.pipe()
    os.close(read)  # before it starts: it might have written everything until then
    try:
        done = subprocess.run([sys.executable, "-m", "shipsafe", "policy", "schema"], cwd=tmp_path, stdout=write, check=False)
    finally:
        os.close(write)
    assert done.returncode == 4


@pytest.mark.parametrize(("name", "usual"), [("local", True), ("explain", False)])
def test_an_endpoint_collects_its_garbage_as_python_does(name: str, tmp_path: Path, *, usual: bool) -> None:
    """Whole uploads wait in it; other commands end before that matters."""
    script = (
        "import gc, os; usual = gc.get_threshold(); os._exit = lambda code: print(f'{code} {gc.get_threshold() == usual}'); "
        "from shipsafe.__main__ import main; main()"
    )
    argv = [sys.executable, "-c", script, name, "--help"]
    done = subprocess.run(argv, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"\n0 {usual}\n"), done.stdout + done.stderr
