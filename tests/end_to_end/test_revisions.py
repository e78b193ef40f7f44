"""A pull request from the command line: what it brings in fails, what was there is known, and what was not asked is no "nothing found"."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.test_git_tree import TIDY
from tests.end_to_end.program import command, environment, shipsafe
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import write

FUNCTION = """  {name}:
    Type: AWS::Serverless::Function
    Properties: {{Runtime: python3.13, Handler: app.handler, CodeUri: {code}}}
"""
TEMPLATE = "Resources:\n" + FUNCTION.format(name="Pay", code="src/pay") + FUNCTION.format(name="Stock", code="src/stock")
SHELL = "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['x'], shell=True)\n"
CLEAN = "def handler(event, context):\n    return 1\n"
POLICY = '[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n'
LINT = "lint/B602"
WHO = {f"GIT_{role}_{what}": "a@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def record(name: str, fixed: str) -> str:
    """An advisory about a distribution."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": fixed}]}]
    return json.dumps({
        "id": f"PYSEC-0000-{name}", "modified": "2026-01-01T00:00:00Z", "summary": "Bad.", "severity": [],
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}],
        "database_specific": {"severity": "HIGH"}})  # fmt: skip


FILES = {
    "template.yaml": TEMPLATE,
    "shipsafe.toml": POLICY,
    "advisories/nothing.json": record("nothing", "0"),
    "src/pay/app.py": SHELL,
    "src/stock/app.py": SHELL,
}


def git(folder: Path, *words: str) -> str:
    """What git says, with no settings of the machine."""
    own = {**os.environ, **WHO, **TIDY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *words], cwd=folder, env=own, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "more")
    return git(folder, "rev-parse", "--short=12", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Two functions with one finding each on `main`, and a branch of nothing yet."""
    root = write(tmp_path / "orders", FILES)
    git(root, "init", "-q", "-b", "main")
    commit(root)
    git(root, "checkout", "-q", "-b", "change")
    return root


def last(text: str) -> str:
    return text.splitlines()[-1]


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything about every file of a checkout and its .git but the time of the last look."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    }


def test_only_what_the_branch_brings_in_fails(repo: Path) -> None:
    base = git(repo, "rev-parse", "--short=12", "main")
    assert shipsafe("check", cwd=repo).code == 1
    same = shipsafe("check", "--baseline-ref", "main", cwd=repo)
    assert same.code == 0, same.out
    assert f"baseline: main ({base}), 2 entries: 2 known, 0 gone, 0 lapsed\n" in same.out
    # Lines move, one function is mended, and one thing more is wrong.
    write(repo, {"src/pay/app.py": "# moved\n" + SHELL + "    subprocess.run(event['y'], shell=True)\n", "src/stock/app.py": CLEAN})
    before = state(repo)
    done = shipsafe("check", "--baseline-ref", "main", cwd=repo)
    assert done.code == 1
    assert last(done.out) == "FAIL  1 finding blocks (1 high) in 1 of 2 subjects; the baseline knows 1 more. exit 1"
    assert "Gone from the baseline (1)\n  high lint/B602 for function:Stock:" in done.out
    assert "write it again" not in done.out
    assert state(repo) == before
    sarif = shipsafe("check", "--baseline-ref", "main", "--format", "sarif", cwd=repo).report
    states = {(one["properties"]["decision"], one["baselineState"]) for run in sarif["runs"] for one in run["results"]}
    assert {("blocking", "new"), ("baselined", "unchanged")} <= states


def test_what_came_to_the_other_branch_since_is_not_compared_with(repo: Path) -> None:
    git(repo, "checkout", "-q", "main")
    write(repo, {"src/pay/app.py": SHELL + "    subprocess.run(event['y'], shell=True)\n"})
    commit(repo)
    git(repo, "checkout", "-q", "change")
    write(repo, {"src/pay/app.py": SHELL + "    subprocess.run(event['y'], shell=True)\n"})
    assert shipsafe("check", "--baseline-ref", "main", cwd=repo).code == 1


def test_a_function_more_and_a_function_less(repo: Path) -> None:
    more = TEMPLATE.replace("  Stock:", "  Other:")
    write(repo, {"template.yaml": more})
    done = shipsafe("check", "--baseline-ref", "main", "--changed-since", "main", "--format", "json", cwd=repo)
    assert done.code == 1
    blocking = [one["subject"] for one in done.report["findings"] if one["decision"] == "blocking"]
    assert blocking == ["function:Other"]
    assert [one["subject"] for one in done.report["verdict"]["vanished"]] == ["function:Stock"]


def test_today_s_policy_judges_both_trees(repo: Path) -> None:
    write(repo, {"shipsafe.toml": POLICY + '[gates.lint]\nfail-on = "low"\n'})
    done = shipsafe("check", "--baseline-ref", "main", cwd=repo)
    assert done.code == 0, done.out
    assert "4 known" in last(done.out)


def test_what_is_left_out_is_said_everywhere(repo: Path) -> None:
    base = git(repo, "rev-parse", "--short=12", "main")
    write(repo, {"src/pay/app.py": SHELL + "    eval(event)\n"})
    before = state(repo)
    done = shipsafe("check", "--changed-since", "main", cwd=repo)
    assert done.code == 1
    since = f"4 questions about 1 subject not asked, unchanged since main ({base})"
    assert last(done.out) == f"FAIL  1 finding blocks (1 high) in 1 of 2 subjects; {since}. exit 1"
    assert "function:Stock  unchanged     pass    unchanged  unchanged  unchanged\n" in done.out
    assert state(repo) == before
    quiet = shipsafe("check", "--changed-since", "main", "-q", cwd=repo)
    assert since in last(quiet.out)
    report = shipsafe("check", "--changed-since", "main", "--format", "json", cwd=repo)
    (repo / "report.json").write_text(report.out)
    assert since in report.report["verdict"]["summary"]
    reason = f"Nothing that decides this has changed since main ({base})."
    for name, words in {
        "text": [since],
        "markdown": [since, "| function:Stock | unchanged |"],
        "github": [since],
        "csv": [f'"unchanged","","lint","","","","function:Stock","","","","","","{reason}"'],
        "junit": [f'<skipped message="{reason}"/>'],
        "sarif": ['"id": "shipsafe/lint/orders/changed/"', '"id": "shipsafe/layers/orders/"', f"function:Stock: {reason}"],
    }.items():
        shown = shipsafe("report", "show", "report.json", "--format", name, cwd=repo).out
        assert all(word in shown for word in words), (name, shown)


def test_where_nothing_has_changed_nothing_is_brought_in(repo: Path) -> None:
    write(repo, {"README.md": "new\n", "template.yaml": "# moved\n" + TEMPLATE})
    done = shipsafe("check", "--changed-since", "main", cwd=repo)
    assert done.code == 0
    assert "8 questions about 2 subjects not asked" in last(done.out)


def test_nothing_is_called_unused_or_gone_that_was_not_asked(repo: Path) -> None:
    more = (
        'baseline = "known.toml"\n' + POLICY + '[[waivers]]\nrule = "lint/B602"\nsubject = "Stock"\nreason = "r"\nowner = "o"\n'
        'expires = 2999-01-01\n[[waivers]]\nadvisory = "PYSEC-0000-x"\nsubject = "*"\nreason = "r"\nowner = "o"\nexpires = 2999-01-01\n'
    )
    vex = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/1", "author": "a", "version": 1,
           "timestamp": "2026-01-01T00:00:00Z",
           "statements": [{"vulnerability": {"name": "PYSEC-0000-x"}, "status": "fixed",
                           "products": [{"@id": "pkg:pypi/x@1.0"}]}]}  # fmt: skip
    write(repo, {"shipsafe.toml": more.replace("known.toml", "off"), "vex.json": json.dumps(vex), "src/stock/app.py": SHELL * 2})
    words = ("--write-baseline", "known.toml", "--baseline-owner", "o")
    assert shipsafe("check", *words, cwd=repo).code == 0
    write(repo, {"shipsafe.toml": more})
    commit(repo)
    asked = ("check", "--vex", "vex.json", "--format", "json")
    done = shipsafe(*asked, "--changed-since", "HEAD", cwd=repo)
    assert done.code == 0, done.out + done.err
    verdict = done.report["verdict"]
    assert (verdict["vanished"], verdict["waiver_notes"], verdict["vex_notes"]) == ([], [], [])
    assert "Everything" not in done.out
    whole = shipsafe(*asked, cwd=repo).report["verdict"]
    assert [note["news"] for note in whole["waiver_notes"]] == ["unused"]
    assert [note["news"] for note in whole["vex_notes"]] == ["unmatched"]
    # With everything asked of the one that changes, what it no longer needs is said.
    write(repo, {"src/pay/app.py": CLEAN})
    changed = shipsafe(*asked, "--changed-since", "HEAD", cwd=repo).report["verdict"]
    assert [entry["subject"] for entry in changed["vanished"]] == ["function:Pay"]


@pytest.mark.parametrize(
    "change",
    [
        {"shipsafe.toml": POLICY + '[[waivers]]\nrule = "lint/B101"\nsubject = "*"\nreason = "r"\nowner = "o"\nexpires = 2999-01-01\n'},
        {"shipsafe.toml": 'baseline = "known.toml"\n' + POLICY, "known.toml": "version = 1\n"},
    ],
    ids=["a waiver", "a baseline"],
)
def test_another_judge_asks_everything(repo: Path, change: dict[str, str]) -> None:
    write(repo, change)
    done = shipsafe("check", "--changed-since", "main", cwd=repo)
    assert done.code == 1, done.err
    assert "Everything was asked: since main (" in done.out
    assert "unchanged" not in last(done.out)


def test_a_policy_from_elsewhere_may_have_changed(repo: Path, tmp_path: Path) -> None:
    write(tmp_path, {"org.toml": POLICY.replace('"advisories"', '"orders/advisories"')})
    write(repo, {"inside.toml": POLICY})
    commit(repo)
    outside = shipsafe("check", "--changed-since", "HEAD", "--policy", tmp_path / "org.toml", cwd=repo)
    assert outside.code == 1
    assert "or one lies outside of the repository." in outside.out
    inside = shipsafe("check", "--changed-since", "HEAD", "--policy", "inside.toml", cwd=repo)
    assert inside.code == 0, inside.out
    assert "8 questions about 2 subjects not asked" in last(inside.out)


def test_advisories_from_elsewhere_are_asked_again(repo: Path, tmp_path: Path) -> None:
    shutil.move(repo / "advisories", tmp_path / "elsewhere")
    write(repo, {"shipsafe.toml": POLICY.replace('"advisories"', f'"{tmp_path}/elsewhere"')})
    commit(repo)
    done = shipsafe("check", "--changed-since", "HEAD", cwd=repo)
    assert done.code == 0, done.out
    assert "function:Pay    pass          pass    unchanged  unchanged  unchanged\n" in done.out


@pytest.mark.parametrize("option", ["--baseline-ref", "--changed-since"])
def test_a_project_below_the_top_whose_code_lies_beside_it(repo: Path, option: str, tmp_path: Path) -> None:
    beside = "Resources:\n" + FUNCTION.format(name="Pay", code="../../src/pay")
    moved = {"template.yaml": beside, "shipsafe.toml": POLICY, "advisories/nothing.json": record("nothing", "0")}
    write(repo / "services" / "orders", moved)
    commit(repo)
    (tmp_path / "link").symlink_to(repo / "services" / "orders")
    for where in (repo / "services" / "orders", tmp_path / "link"):
        done = shipsafe("check", where, option, "HEAD", cwd=tmp_path)
        assert done.code == 0, done.out
        assert ("1 known" if option == "--baseline-ref" else "not asked, unchanged") in last(done.out)


@pytest.mark.parametrize("there", ["outside", "circle"])
def test_a_link_at_the_revision_leads_nowhere_else(repo: Path, there: str) -> None:
    services = repo / "services"
    services.mkdir()
    (services / "orders").symlink_to({"outside": str(repo.parent / "elsewhere"), "circle": "orders"}[there])
    shutil.copytree(repo, repo.parent / "elsewhere", symlinks=True, ignore=shutil.ignore_patterns(".git"))
    commit(repo)
    (services / "orders").unlink()
    write(services / "orders", FILES)
    for option, words in {"--changed-since": "all of it is new.", "--baseline-ref": "there is nothing of this yet"}.items():
        done = shipsafe("check", "services/orders", option, "HEAD", cwd=repo)
        assert done.code == 1
        assert words in done.out


def test_functions_of_the_policy(repo: Path) -> None:
    entry = '[[functions]]\nname = "{name}"\nhandler = "app.handler"\nruntime = "python3.13"\ncode = "src/{code}"\n'
    (repo / "template.yaml").unlink()
    write(repo, {"shipsafe.toml": POLICY + entry.format(name="Pay", code="pay")})
    commit(repo)
    write(repo, {"shipsafe.toml": POLICY + entry.format(name="New", code="stock") + entry.format(name="Pay", code="pay")})
    done = shipsafe("check", "--changed-since", "HEAD", cwd=repo)
    assert done.code == 1
    assert "4 questions about 1 subject not asked" in last(done.out)
    known = shipsafe("check", "--baseline-ref", "HEAD", cwd=repo)
    assert "FAIL  1 finding blocks (1 high) in 1 of 2 subjects; the baseline knows 1 more." in known.out
    assert "so whatever it finds now counts as new" not in known.out


def test_one_function_of_several_and_a_layer_that_it_does_not_use(repo: Path) -> None:
    layer = (
        "  Common:\n    Type: AWS::Serverless::LayerVersion\n    Properties: {ContentUri: src/stock, CompatibleRuntimes: [python3.13]}\n"
    )
    write(repo, {"template.yaml": TEMPLATE + layer})
    commit(repo)
    for option, words in {"--changed-since": "4 questions about 1 subject", "--baseline-ref": "1 known"}.items():
        done = shipsafe("check", "--function", "Pay", option, "HEAD", cwd=repo)
        assert done.code == 0, done.out
        assert words in last(done.out)


def test_something_is_asked_where_there_are_only_layers(repo: Path) -> None:
    layer = (
        "  Common:\n    Type: AWS::Serverless::LayerVersion\n    Properties: {ContentUri: src/stock, CompatibleRuntimes: [python3.13]}\n"
    )
    write(repo, {"template.yaml": f"Resources:\n{layer}"})
    commit(repo)
    done = shipsafe("check", "--changed-since", "HEAD", cwd=repo)
    assert done.code == 0, done.out
    assert last(done.out).startswith("PASS  1 subject, 1 gate; 3 questions about 1 subject not asked")


@pytest.mark.parametrize(
    ("now", "code", "words"),
    [
        ({"template.yaml": "Resources: {\n"}, 4, "The project at main~0 ({base}) cannot be read: template.yaml:"),
        ({}, 0, "At main~0 ({base}) there is nothing of this yet: all of it counts as new."),
    ],
)
def test_a_revision_that_says_little(repo: Path, now: dict[str, str], code: int, words: str) -> None:
    git(repo, "checkout", "-q", "main")
    (repo / "template.yaml").unlink()
    write(repo, now)
    base = commit(repo)
    git(repo, "checkout", "-q", "-b", "later")
    write(repo, FILES)
    done = shipsafe("check", "--baseline-ref", "main~0", cwd=repo)
    assert (words.format(base=base)) in done.out + done.err, done.out + done.err
    assert done.code == (code or 1)
    since = shipsafe("check", "--changed-since", "main~0", cwd=repo)
    assert since.code == 1
    assert f"Everything was asked: since main~0 ({base}) " in since.out
    assert str(repo.parent) not in since.out
    assert "shipsafe-" not in since.out.replace("shipsafe-baseline", "")


def test_what_could_not_be_looked_at_there_is_said(repo: Path) -> None:
    write(repo, {"src/pay/app.py": "def handler(event, context:\n"})
    commit(repo)
    write(repo, {"src/pay/app.py": SHELL})
    done = shipsafe("check", "--baseline-ref", "HEAD", cwd=repo)
    assert done.code == 1
    assert "lint has no answer for function:Pay, so whatever it finds now counts as new: " in done.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("check", "--baseline-ref", "nothing"), 2, "There is no revision 'nothing' here."),
        (("check", "--changed-since", "nothing"), 2, "`fetch-depth: 0`"),
        (("check", "--changed-since", ""), 2, "'' is no revision."),
        (("check", "--baseline-ref="), 2, "'' is no revision."),
        (("check", "--baseline-ref=--all"), 2, "'--all' is no revision."),
        (("check", "--baseline-ref", "main", "--prebuilt", "Pay=src/pay"), 2, "What another tool built is not in the repository's"),
        (("check", "--changed-since", "main", "--prebuilt", "Pay=src/pay"), 2, "Leave out --prebuilt, or the revision."),
        (("check", "--baseline-ref", "main", "--write-baseline", "b.toml", "--baseline-owner", "o"), 2,
         "--write-baseline records what --baseline-ref would hide."),
        (("check", "--changed-since", "main", "--write-baseline", "b.toml", "--baseline-owner", "o"), 2,
         "--write-baseline records what --changed-since would not ask."),
        (("build", "--changed-since", "main"), 2, "--changed-since"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(repo: Path, words: tuple[str, ...], code: int, message: str) -> None:
    done = shipsafe(*words, cwd=repo)
    assert (done.code, message in done.err) == (code, True), done.err
    assert not (repo / "b.toml").exists()


def test_outside_of_a_repository_and_without_git(repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "plain", FILES)
    done = shipsafe("check", "--baseline-ref", "main", cwd=tmp_path / "plain")
    assert done.code == 2
    assert "This is no git repository" in done.err
    missing = shipsafe("check", "--changed-since", "main", cwd=repo, env={"PATH": str(tmp_path)})
    assert missing.code == 4
    assert "There is no git on this machine" in missing.err


def test_who_fixes_what_is_known_fixes_it_for_revisions_too(repo: Path) -> None:
    for key in ("baseline", "waivers"):
        write(repo, {"shipsafe.toml": f'fixed = ["{key}"]\n' + POLICY})
        done = shipsafe("check", "--baseline-ref", "main", cwd=repo)
        assert done.code == 2
        assert "What is known is fixed by shipsafe.toml:1, and --baseline-ref would add to it." in done.err


def test_a_file_and_a_revision_together(repo: Path) -> None:
    assert shipsafe("check", "--function", "Pay", "--write-baseline", "known.toml", "--baseline-owner", "ann", cwd=repo).code == 0
    done = shipsafe("check", "--baseline", "known.toml", "--baseline-ref", "main", "--format", "json", cwd=repo)
    assert done.code == 0, done.out
    owners = {one["subject"]: one["baseline"]["owner"] for one in done.report["findings"] if one["decision"] == "baselined"}
    base = git(repo, "rev-parse", "--short=12", "main")
    assert owners == {"function:Pay": "ann", "function:Stock": base}
    assert done.report["baseline"]["path"] == f"known.toml and main ({base})"
    assert done.report["baseline"]["entries"] == 2


@pytest.fixture
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """Two releases on an index, and what a run needs to know of it."""
    with index(wheel("plain", "1.0"), wheel("plain", "2.0")) as url:
        yield url, {"UV_CACHE_DIR": str(tmp_path_factory.mktemp("uv"))}


def test_a_lock_that_the_policy_names_is_the_one_of_the_revision(repo: Path, wheels: tuple[str, dict[str, str]]) -> None:
    url, env = wheels
    lock = {version: f"plain=={version} --hash={sha256(wheel('plain', version)[1])}\n" for version in ("1.0", "2.0")}
    policy = f'shared-lock = "locks/all.txt"\nconstraints = ["locks/limits.txt"]\n{POLICY}'
    policy += f'[indexes]\ndefault = "{url}"\nmirrors-pypi = ["{url}"]\n'
    write(repo, {"shipsafe.toml": policy, "advisories/plain.json": record("plain", "2.0"), "src/pay/requirements.txt": "plain\n",
                 "locks/all.txt": lock["1.0"], "locks/limits.txt": "plain<2\n"})  # fmt: skip
    commit(repo)
    write(repo, {"locks/all.txt": lock["2.0"], "locks/limits.txt": "plain<3\n"})
    done = shipsafe("check", "--baseline-ref", "HEAD", "--changed-since", "HEAD", cwd=repo, env=env)
    assert done.code == 1, done.out + done.err
    assert "dependencies/vulnerable" in done.out
    assert "the baseline knows 1 more; 4 questions about 1 subject not asked" in last(done.out)


def test_folders_of_wheels_are_those_of_each_tree(repo: Path) -> None:
    old, new = wheel("plain", "1.0"), wheel("plain", "2.0")
    write(repo, {"shipsafe.toml": f'{POLICY}[indexes]\nfind-links = ["wheels"]\n', "advisories/plain.json": record("plain", "2.0"),
                 "src/pay/requirements.txt": "plain\n", f"wheels/{old[0]}": old[1]})  # fmt: skip
    commit(repo)
    write(repo, {f"wheels/{new[0]}": new[1]})
    done = shipsafe("check", "--baseline-ref", "HEAD", "--changed-since", "HEAD", "--offline", "--format", "json", cwd=repo)
    versions = {one["version"] for one in done.report["findings"] if one["package"] == "plain"}
    assert versions == {"2.0"}, done.out


@pytest.mark.parametrize("option", ["--baseline-ref", "--changed-since"])
def test_an_interrupted_comparison_leaves_nothing_behind(repo: Path, tmp_path: Path, option: str) -> None:
    real = shutil.which("git")
    program = write(
        tmp_path / "bin",
        {"git": f"#!/bin/sh\ncase $1 in checkout-index) touch '{tmp_path}/begun'; sleep 3600;; esac\nexec {real} \"$@\"\n"},
    )
    (program / "git").chmod(0o755)
    (tmp_path / "tmp").mkdir()
    before = state(repo)
    env = environment({"PATH": f"{program}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path / "tmp")})
    with subprocess.Popen(command("check", option, "main"), cwd=repo, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        while not (tmp_path / "begun").exists():
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=120)
    assert child.returncode == 130, err
    assert b"Traceback" not in err
    assert not list((tmp_path / "tmp").iterdir())
    assert state(repo) == before
