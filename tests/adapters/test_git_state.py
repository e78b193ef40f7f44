"""Whether a checkout is what its commit says: asked without starting or writing anything, and never guessed."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from shipsafe.adapters.git_state import is_dirty, repository_url, without_credentials
from shipsafe.adapters.process import run
from shipsafe.errors import IncompleteError
from tests.adapters.test_git_tree import commit, git, state
from tests.packing.staging import write


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """One commit: code in `src`, and a note beside it."""
    root = write(tmp_path / "repo", {"src/app.py": "x = 1\n", "notes.txt": "n\n", ".gitignore": "*.log\n"}).resolve()
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


def dirty(repo: Path, code: str = "src", out: Path | None = None) -> bool | None:
    return is_dirty(repo, [repo / code], out=out)


def test_what_was_committed_is_clean(repo: Path) -> None:
    assert dirty(repo) is False
    os.utime(repo / "src/app.py", (1, 1))
    assert dirty(repo) is False, "looked into, where the times differ"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"src/app.py": "x = 2\n"}, True),
        ({"notes.txt": "of other things\n"}, True),
        ({"src/new.py": ""}, True),
        ({"src/deep/er/new.py": ""}, True),
        ({"todo.txt": "not shipped"}, False),
        ({"src/x.log": "ignored"}, False),
    ],
)
def test_a_tracked_file_that_differs_or_a_new_one_among_the_code_is_a_change(repo: Path, files: dict[str, str], *, expected: bool) -> None:
    write(repo, files)
    assert dirty(repo) is expected


def test_what_is_staged_or_gone_is_a_change(repo: Path) -> None:
    (repo / "notes.txt").unlink()
    assert dirty(repo) is True
    git(repo, "rm", "-q", "--cached", "notes.txt")
    assert dirty(repo) is True


def test_code_in_a_new_folder_is_a_change(repo: Path) -> None:
    write(repo, {"other/app/app.py": ""})
    assert dirty(repo, "other/app") is True
    assert dirty(repo) is False


def test_what_is_built_is_no_part_of_the_source(repo: Path) -> None:
    write(repo, {"dist[1]/Orders.zip": "z", "dist1/x": ""})
    assert dirty(repo, ".", out=repo / "dist[1]") is True, "the name is no pattern"
    (repo / "dist1/x").unlink()
    assert dirty(repo, ".", out=repo / "dist[1]") is False
    assert dirty(repo, ".", out=repo.parent / "elsewhere") is True
    assert dirty(repo, ".", out=repo) is True, "all of it cannot be left out"


def test_names_with_odd_characters_are_names(repo: Path) -> None:
    write(repo, {'src/é\n?? "x".py': ""})
    assert dirty(repo) is True
    commit(repo)
    assert dirty(repo) is False


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_nobody_can_say_where_git_was_told_not_to_look(repo: Path, mark: str) -> None:
    git(repo, "update-index", mark, "src/app.py")
    assert dirty(repo) is None
    write(repo, {"src/app.py": "x = 2\n"})
    assert dirty(repo) is None
    write(repo, {"notes.txt": "2"})
    assert dirty(repo) is True


def test_a_sparse_checkout_that_left_files_out_is_clean(repo: Path) -> None:
    git(repo, "update-index", "--skip-worktree", "notes.txt")
    (repo / "notes.txt").unlink()
    assert dirty(repo) is False


def test_nobody_can_say_of_a_submodule_whose_files_are_there(repo: Path, tmp_path: Path) -> None:
    inner = write(tmp_path / "inner", {"lib.py": "y = 1\n"})
    git(inner, "init", "-q", "-b", "main")
    commit(inner)
    git(repo, "submodule", "--quiet", "add", str(inner), "src/lib")
    commit(repo)
    assert dirty(repo) is None
    git(repo, "submodule", "--quiet", "deinit", "--force", "src/lib")
    assert dirty(repo) is False
    git(repo, "submodule", "--quiet", "update", "--init", "src/lib")
    write(repo, {"src/lib/lib.py": "y = 2\n"})
    git(repo / "src/lib", "add", "-A")
    git(repo / "src/lib", "commit", "-q", "-m", "more")
    assert dirty(repo) is True, "another commit of it than the one that is recorded"


def test_nobody_can_say_without_a_commit_or_a_repository(tmp_path: Path) -> None:
    assert is_dirty(tmp_path, [tmp_path]) is None
    git(tmp_path, "init", "-q")
    write(tmp_path, {"app.py": ""})
    assert is_dirty(tmp_path.resolve(), [tmp_path.resolve()]) is True, "nothing of it was ever committed"


def test_nobody_can_say_without_git(repo: Path) -> None:
    def missing(*_: object, **__: object) -> None:
        raise IncompleteError("git could not be started: No such file or directory.")

    assert is_dirty(repo, [repo], run=missing) is None  # type: ignore[arg-type]
    assert repository_url(repo, run=missing) is None  # type: ignore[arg-type]


def test_nothing_that_a_repository_names_is_started_and_nothing_is_written(repo: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\necho started >> {trap}\ncat\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    write(repo, {".gitattributes": "* filter=evil diff=evil\n"})
    git(repo, "-c", "core.hooksPath=/dev/null", "add", "-A")
    git(repo, "commit", "-q", "-m", "attributes")
    filters = ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.command", "diff.evil.textconv")
    for name in (*filters, "core.fsmonitor", "diff.external", "core.pager", "core.sshCommand", "core.askPass", "credential.helper"):
        git(repo, "config", name, str(program))
    git(repo, "config", "filter.evil.required", "true")
    hooks = repo / ".git" / "hooks"
    for hook in ("post-index-change", "post-checkout", "pre-commit"):
        hooks.mkdir(exist_ok=True)
        (hooks / hook).write_bytes(program.read_bytes())
        (hooks / hook).chmod(0o755)
    os.utime(repo / "src/app.py", (1, 1))  # so that git has to look into it
    before = state(repo)
    assert dirty(repo) is False
    repository_url(repo)
    assert not trap.exists()
    assert state(repo) == before
    subprocess.run(["git", "status"], cwd=repo, capture_output=True, check=False, timeout=120)
    assert trap.exists(), "git alone starts them"


def test_a_repository_cannot_send_git_to_look_elsewhere(repo: Path, tmp_path: Path) -> None:
    clean = write(tmp_path / "clean", {"src/app.py": "x = 1\n", "notes.txt": "n\n", ".gitignore": "*.log\n"})
    git(repo, "config", "core.worktree", str(clean))
    write(repo, {"src/app.py": "x = 2\n"})
    assert dirty(repo) is True


def test_a_second_work_tree_is_looked_at_and_not_the_first(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "second"), "-b", "second")
    write(repo, {"src/app.py": "x = 2\n"})
    second = (tmp_path / "second").resolve()
    assert (dirty(repo), dirty(second)) == (True, False)
    write(second, {"src/new.py": ""})
    assert dirty(second) is True


def test_another_users_checkout_is_looked_at(repo: Path) -> None:
    """As in a container of CI; only root can make one."""
    if os.geteuid() == 0:
        for path in (repo, *repo.rglob("*")):
            os.chown(path, 12345, 12345)
    assert dirty(repo) is False


def test_the_address_is_that_of_origin_or_of_the_only_remote(repo: Path) -> None:
    assert repository_url(repo) is None
    git(repo, "remote", "add", "up", "https://me:secret@github.com/acme/up.git")
    assert repository_url(repo) == "https://github.com/acme/up.git"
    git(repo, "remote", "add", "other", "git@github.com:acme/other.git")
    assert repository_url(repo) is None, "nobody says which of the two"
    git(repo, "remote", "add", "origin", "git@github.com:acme/shop.git")
    assert repository_url(repo, run=run) == "ssh://github.com/acme/shop.git"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/acme/shop.git"),
        ("https://x-access-token:ghs_secret@github.com/acme/shop", "https://github.com/acme/shop"),
        ("https://git.example:8443/shop.git?token=secret#secret", "https://git.example:8443/shop.git"),
        ("ssh://git@github.com/acme/shop.git", "ssh://github.com/acme/shop.git"),
        ("github.com:acme/shop.git", "ssh://github.com/acme/shop.git"),
        ("https://[::1]:80/x", "https://[::1]:80/x"),
        ("/home/me/shop", None),
        ("../shop", None),
        ("C:\\shop", None),
        ("file:///home/me/shop", None),
        ("ext::sh -c x", None),
        ("https://", None),
        ("https://host:port/x", None),
        ("https://host/a\nb", None),
        ("https://host/a b", None),
        (f"https://host/{'a' * 3000}", None),
        ("", None),
    ],
)
def test_an_address_holds_no_credentials_and_no_path_of_this_machine(address: str, expected: str | None) -> None:
    assert without_credentials(address) == expected
