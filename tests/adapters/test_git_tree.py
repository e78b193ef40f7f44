"""Another revision in a folder of ours: whole, as a checkout would have it, and with nothing of the user's touched or started."""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from shipsafe.adapters.git_tree import Revision, check_out, repository_of
from shipsafe.adapters.process import Finished, run
from shipsafe.errors import ConfigError, IncompleteError
from tests.packing.staging import write

WHO = {f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file"}
# Else a newer git tidies up after a commit, beside us: its lock comes and goes while a test notes what lies in `.git`.
TIDY = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "maintenance.auto", "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_KEY_1": "gc.auto", "GIT_CONFIG_VALUE_1": "0"}  # fmt: skip


def git(folder: Path, *words: str | Path) -> str:
    """What git says, with no settings of the machine."""
    environment = {**os.environ, **QUIET, **TIDY, **WHO}
    return subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A branch `main` of one commit, and a branch that has changed a file and added one."""
    root = write(tmp_path / "repo", {"a.txt": "one\n", "src/app.py": "x = 1\n"})
    git(root, "init", "-q", "-b", "main")
    commit(root)
    git(root, "checkout", "-q", "-b", "change")
    write(root, {"a.txt": "two\n", "new.txt": "new\n"})
    commit(root)
    return root


def commit(root: Path) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "more")
    return git(root, "rev-parse", "HEAD")


def files(folder: Path) -> dict[str, bytes]:
    """Path -> content, or where a link leads; the mark of a repository is left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = os.fsencode(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything about every file of a checkout and its .git but the time of the last look."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    }


def taken(repo: Path, name: str = "main", *, merge_base: bool = False) -> Revision:
    return check_out(repo, name, repo.parent / "ours" / "there", merge_base=merge_base)


def test_a_revision_is_whole_and_nothing_of_the_users_is_touched(repo: Path) -> None:
    write(repo, {"a.txt": "not committed\n", "untracked.txt": ""})
    git(repo, "add", "untracked.txt")
    before = state(repo)
    there = taken(repo)
    assert files(there.folder) == {"a.txt": b"one\n", "src/app.py": b"x = 1\n"}
    assert str(there) == f"main ({git(repo, 'rev-parse', '--short=12', 'main')})"
    assert state(repo) == before


@pytest.mark.parametrize("setting", ["core.splitIndex", "core.untrackedCache", "feature.manyFiles", "index.sparse"])
def test_no_setting_makes_git_write_beside_its_index(repo: Path, setting: str) -> None:
    git(repo, "config", setting, "true")
    before = state(repo)
    taken(repo)
    assert state(repo) == before


def test_where_head_parted_counts_not_what_came_after(repo: Path) -> None:
    base = git(repo, "rev-parse", "main")
    git(repo, "checkout", "-q", "main")
    write(repo, {"later.txt": ""})
    later = commit(repo)
    git(repo, "checkout", "-q", "change")
    assert taken(repo, merge_base=True).commit == base
    assert check_out(repo, "main", repo.parent / "other", merge_base=False).commit == later


def test_nothing_that_a_repository_names_is_started(repo: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    touch = f"touch '{trace}'"
    write(repo, {".gitattributes": "*.py filter=a=b\n*.txt filter=long\n"})
    names = {
        "filter.a=b.smudge": f"{touch}; cat",
        "filter.a=b.required": "true",
        "filter.long.process": touch,
        "filter.long.smudge": touch,
        "core.fsmonitor": touch,
        "core.hooksPath": str(tmp_path / "hooks"),
    }
    commit(repo)
    hook = tmp_path / "hooks" / "post-index-change"
    write(tmp_path, {"hooks/post-index-change": f"#!/bin/sh\n{touch}\n", "hooks/post-checkout": f"#!/bin/sh\n{touch}\n"})
    hook.chmod(0o755)
    hook.with_name("post-checkout").chmod(0o755)
    for name, value in names.items():
        git(repo, "config", name, value)
    there = taken(repo, "change")
    assert not trace.exists()
    assert files(there.folder)["src/app.py"] == b"x = 1\n"


def test_what_a_partial_clone_lacks_is_not_fetched(repo: Path, tmp_path: Path) -> None:
    git(repo, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{repo}", clone)
    trace = tmp_path / "ran"
    program = write(tmp_path, {"program": f"#!/bin/sh\ntouch '{trace}'\n"}) / "program"
    program.chmod(0o755)
    git(clone, "config", "remote.origin.uploadpack", str(program))
    git(clone, "config", "core.sshCommand", str(program))
    with pytest.raises(IncompleteError, match=r"The files of origin/main \([0-9a-f]{12}\) cannot be had: .*a partial clone"):
        taken(clone, "origin/main")
    assert not trace.exists()


def test_a_second_worktree_and_a_folder_below_the_top(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(repo, "worktree", "add", "-q", other, "main")
    assert (other / ".git").is_file()
    assert repository_of(other / "src") == other.resolve()
    assert files(taken(other, "change").folder)["new.txt"] == b"new\n"


def test_names_links_and_modes_are_those_of_the_revision(repo: Path) -> None:
    write(repo, {"a\nb.txt": "", "ä ☃.txt": "snow", "-x": "", "run.sh": "#!/bin/sh\n"})
    (repo / "run.sh").chmod(0o755)
    (repo / "link").symlink_to("../outside")
    (repo / "inside").symlink_to("src")
    commit(repo)
    there = taken(repo, "HEAD").folder
    found = files(there)
    assert found["a\nb.txt"] == b"" and found["ä ☃.txt"] == b"snow" and found["-x"] == b""  # noqa: PT018 - three names of one kind
    assert found["link"] == b"../outside"
    assert (there / "inside").is_symlink()
    assert (there / "run.sh").stat().st_mode & 0o100


def test_a_submodule_is_an_empty_folder(repo: Path, tmp_path: Path) -> None:
    library = write(tmp_path / "library", {"x.py": ""})
    git(library, "init", "-q")
    commit(library)
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", library, "vendor")
    commit(repo)
    there = taken(repo, "HEAD").folder
    assert (there / "vendor").is_dir()
    assert not list((there / "vendor").iterdir())


def test_a_sparse_checkout_has_all_files_at_the_revision(repo: Path) -> None:
    git(repo, "sparse-checkout", "set", "--cone", "nothing")
    assert not (repo / "src").exists()
    assert "src/app.py" in files(taken(repo).folder)


def test_line_ends_are_those_of_the_users_checkouts(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write(tmp_path / "home", {".gitconfig": "[core]\n\tautocrlf\n"})
    monkeypatch.setenv("HOME", str(home))
    assert files(taken(repo).folder)["src/app.py"] == b"x = 1\r\n"
    git(repo, "config", "core.autocrlf", "false")
    assert files(check_out(repo, "main", tmp_path / "other", merge_base=False).folder)["src/app.py"] == b"x = 1\n"


def test_a_shallow_clone_says_what_to_fetch(repo: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", "--branch=change", f"file://{repo}", clone)
    for name in ("origin/main", "HEAD~1", git(repo, "rev-parse", "main")):
        with pytest.raises(ConfigError, match="There is no revision") as caught:
            taken(clone, name)
        assert "`fetch-depth: 0`" in str(caught.value)
    git(clone, "fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    with pytest.raises(ConfigError, match="HEAD and 'origin/main' have no commit in common here"):
        taken(clone, "origin/main", merge_base=True)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"a.txt": ""})
    git(root, "init", "-q")
    for merge_base in (True, False):
        with pytest.raises(ConfigError, match="There is no revision 'HEAD' here"):
            taken(root, "HEAD", merge_base=merge_base)


@pytest.mark.parametrize(
    "name", ["", " ", "-x", "--all", "^main", "main..change", "HEAD:a.txt", "HEAD^{tree}", "no\nline", "nothing", "\ud800"]
)
def test_what_is_no_commit_is_refused(repo: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"is no revision|There is no revision"):
        taken(repo, name)


@pytest.mark.parametrize("name", ["HEAD@{0}", "change~1", "HEAD^{/more}", "refs/heads/main"])
def test_every_way_to_name_a_commit_is_one(repo: Path, name: str) -> None:
    assert taken(repo, name).name == name


def test_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="This is no git repository"):
        repository_of(tmp_path)


def test_without_git(repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(IncompleteError, match="There is no git on this machine"):
        taken(repo)


def test_a_checkout_of_another_user(repo: Path) -> None:
    def as_another(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900) -> Finished:
        return run(argv, cwd=cwd, env={**(env or {}), "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, timeout=timeout)

    there = check_out(repo, "main", repo.parent / "there", merge_base=True, run=as_another)
    assert "src/app.py" in files(there.folder)
