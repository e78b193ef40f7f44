"""Which files of the project ship, in which mode, and what is said of those that cannot."""

import os
import socket
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.model.project import CodeKind
from shipsafe.model.tree import FILE_MODE, PROGRAM_MODE, ProblemKind, StagedTree
from shipsafe.packing import select
from shipsafe.packing.stage import BuiltElsewhereError
from tests.packing.staging import function, layer, paths, staged, write


def problems(tree: StagedTree) -> list[tuple[ProblemKind, str]]:
    return [(one.kind, one.key) for one in tree.problems]


def test_what_no_function_needs_is_left_out_and_secrets_are_not_hidden(tmp_path: Path) -> None:
    left_out = [
        ".git/config", "__pycache__/app.cpython-313.pyc", "old.pyc", ".venv/bin/python", "env/pyvenv.cfg", ".aws-sam/build/app.py",
        "cdk.out/app.py", "dist/App.zip", "out/shipsafe.json", "out/App.zip", "node_modules/x/index.js", ".pytest_cache/x",
        ".mypy_cache/x", ".ruff_cache/x", ".DS_Store", "inner/.git/config", "inner/__pycache__/x.txt", ".shipsafeignore",
        "begun/.shipsafe/lock", "begun/report.json", ".shipsafe/lock",
    ]  # fmt: skip
    kept = [
        ".env", "app.py", "id_rsa", "inner/dist/data.txt", "requirements.txt", "server.pem", "tests/test_app.py",
        "vendored-1.0.dist-info/METADATA",
    ]  # fmt: skip
    root = write(tmp_path / "project", dict.fromkeys([*left_out, *kept], ""))
    assert paths(staged(root, tmp_path / "work", function("."))) == kept


def test_dist_and_node_modules_are_the_code_of_other_languages(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"dist/index.js": "", "node_modules/x/index.js": ""})
    assert paths(staged(root, tmp_path / "work", function(".", runtime="nodejs22.x"))) == ["dist/index.js", "node_modules/x/index.js"]


def test_shipsafeignore_has_the_syntax_of_gitignore_from_the_root_down(tmp_path: Path) -> None:
    files = {
        ".shipsafeignore": "*.log\n/src/*.md\n!.vscode/\n",
        "src/.shipsafeignore": "data/*\n!data/keep.csv\n!important.log\n",
        **dict.fromkeys(["src/app.py", "src/a.log", "src/important.log", "src/README.md", "src/docs/README.md"], ""),
        **dict.fromkeys(["src/data/big.csv", "src/data/keep.csv", "src/.vscode/x.json", "src/.idea/x.xml"], ""),
    }
    root = write(tmp_path / "project", files)
    assert paths(staged(root, tmp_path / "work")) == [".vscode/x.json", "app.py", "data/keep.csv", "docs/README.md", "important.log"]


def test_an_ignore_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"src/app.py": "", "src/.shipsafeignore": b"\xff\xfe"})
    with pytest.raises(IncompleteError, match=r"^src/.shipsafeignore: Cannot be read"):
        staged(root, tmp_path / "work")


def test_only_the_owners_right_to_run_decides_about_the_mode(tmp_path: Path) -> None:
    root = write(tmp_path / "project", dict.fromkeys(["src/a", "src/b", "src/c"], ""))
    for name, mode in (("a", 0o700), ("b", 0o666), ("c", 0o655)):
        (root / "src" / name).chmod(mode)
    assert [entry.mode for entry in staged(root, tmp_path / "work").entries] == [PROGRAM_MODE, FILE_MODE, FILE_MODE]


def test_the_same_code_gives_the_same_tree_whatever_the_umask_and_the_path(tmp_path: Path) -> None:
    trees = []
    for name, mask in (("one", 0o022), ("another/place", 0o077)):
        before = os.umask(mask)
        try:
            root = write(tmp_path / name / "project", {"src/b.py": "b", "src/a/c.py": "c", "src/Ä.txt": "u"})
            trees.append(staged(root, tmp_path / name / "work"))
        finally:
            os.umask(before)
    assert trees[0].content_digest == trees[1].content_digest
    assert [entry.location for entry in trees[0].entries] == [entry.location for entry in trees[1].entries]


def test_links_inside_the_project_ship_what_they_lead_to(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"src/app.py": "", "shared/util.py": "u", "shared/deep/x.py": "x"})
    (root / "src/util.py").symlink_to("../shared/util.py")
    (root / "src/shared").symlink_to("../shared")
    (root / "src/again").symlink_to(root / "src")
    (root / "shared/back").symlink_to("../src")
    tree = staged(root, tmp_path / "work")
    assert paths(tree) == ["app.py", "shared/deep/x.py", "shared/util.py", "util.py"]
    assert not any(entry.source.is_symlink() for entry in tree.entries)
    assert tree.problems == ()


def test_links_out_of_the_project_or_into_its_repository_files_do_not_ship(tmp_path: Path) -> None:
    write(tmp_path / "outside", {"secret.txt": "s", "deep/x.txt": "x"})
    root = write(tmp_path / "project", {"src/app.py": "", ".git/config": "token"})
    (root / "src/secret.txt").symlink_to(tmp_path / "outside/secret.txt")
    (root / "src/folder").symlink_to("../../outside")
    (root / "src/config").symlink_to("../.git/config")
    (root / "src/passwd").symlink_to("/etc/passwd")
    tree = staged(root, tmp_path / "work")
    assert paths(tree) == ["app.py"]
    assert problems(tree) == [(ProblemKind.ESCAPING_LINK, key) for key in ("config", "folder", "passwd", "secret.txt")]
    assert str(tree.problems[0].location) == "src/config"


def test_links_in_a_circle_and_into_nothing_are_said_and_end(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"src/app.py": ""})
    (root / "src/self").symlink_to("self")
    (root / "src/nowhere").symlink_to("none.txt")
    tree = staged(root, tmp_path / "work")
    assert problems(tree) == [(ProblemKind.UNREADABLE, "nowhere"), (ProblemKind.UNREADABLE, "self")]


def test_links_that_multiply_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder has two links to the next: 2 to the power of 40 ways, and not one file."""
    root = write(tmp_path / "project", {"src/app.py": ""})
    for number in range(40):
        (root / f"src/{number}").mkdir()
        for name in ("a", "b"):
            (root / f"src/{number}/{name}").symlink_to(f"../{number + 1}")
    (root / "src/40").mkdir()
    monkeypatch.setattr(select, "_COUNT", 2000)
    with pytest.raises(IncompleteError, match=r"more than 2000 files"):
        staged(root, tmp_path / "work")


def test_pipes_sockets_and_names_that_no_zip_can_hold_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "project", {"src/app.py": "", "src/new\nline.py": "", "src/a\u2028b": ""})
    os.mkfifo(root / "src/pipe")
    Path(os.fsdecode(os.fsencode(root / "src") + b"/\xff.py")).write_text("")
    monkeypatch.chdir(root / "src")  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        tree = staged(root, tmp_path / "work")
    assert paths(tree) == ["app.py"]
    keys = [r"a\u2028b", r"new\nline.py", "pipe", "socket", r"\udcff.py"]
    assert problems(tree) == [(ProblemKind.UNREADABLE, key) for key in keys]
    assert all(str(one.location).isascii() and str(one.location).isprintable() for one in tree.problems)


def test_names_that_differ_only_in_case_or_accent_are_said(tmp_path: Path) -> None:
    root = write(tmp_path / "project", dict.fromkeys(["src/App.py", "src/app.py", "src/caf\u00e9.py", "src/cafe\u0301.py"], ""))
    assert [one.kind for one in staged(root, tmp_path / "work").problems] == [ProblemKind.NAME_COLLISION] * 2


def test_code_beside_the_project_ships_within_its_repository_only(tmp_path: Path) -> None:
    write(tmp_path / "repository", {".git/HEAD": "", "shared/app.py": "", "service/template.yaml": ""})
    root = tmp_path / "repository/service"
    tree = staged(root, tmp_path / "work", function("../shared"))
    assert [str(entry.location) for entry in tree.entries] == ["../shared/app.py"]
    write(tmp_path / "elsewhere", {"app.py": ""})
    with pytest.raises(IncompleteError, match=r"^template.yaml:7: The code of App lies outside the repository: ../../elsewhere"):
        staged(root, tmp_path / "work2", function("../../elsewhere"))


def test_inline_code_is_the_file_that_lambda_makes_of_it(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {})
    python = staged(root, tmp_path / "a", function(None, kind=CodeKind.INLINE, text="def handler(e, c): return 'é'\n"))
    assert paths(python) == ["index.py"]
    assert python.entries[0].source.read_text(encoding="utf-8") == "def handler(e, c): return 'é'\n"
    assert str(python.entries[0].location) == "template.yaml:7"
    assert paths(staged(root, tmp_path / "b", function(None, kind=CodeKind.INLINE, text="", runtime="nodejs22.x"))) == ["index.js"]
    with pytest.raises(IncompleteError, match="is not text"):
        staged(root, tmp_path / "c", function(None, kind=CodeKind.INLINE, text="\ud800"))


def test_a_single_file_ships_alone(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"src/app.py": "", "src/other.py": ""})
    assert paths(staged(root, tmp_path / "work", function("src/app.py", kind=CodeKind.FILE))) == ["app.py"]


@pytest.mark.parametrize(
    ("kind", "path", "reason"),
    [
        (CodeKind.S3, None, "lies in a bucket (s3://bucket/key), where shipsafe cannot look"),
        (CodeKind.UNKNOWN, None, "does not say where the code of App is"),
        (CodeKind.FOLDER, "none", "is not there: none"),
        (CodeKind.FOLDER, "empty", "There is no file to ship for App"),
    ],
)
def test_code_that_is_not_here_is_incomplete_with_the_line_of_the_template(
    tmp_path: Path, kind: CodeKind, path: str | None, reason: str
) -> None:
    root = write(tmp_path / "project", {"empty/.DS_Store": ""})
    with pytest.raises(IncompleteError) as caught:
        staged(root, tmp_path / "work", function(path, kind=kind))
    assert reason in str(caught.value)
    assert str(caught.value).startswith("template.yaml:7: ")
    assert not isinstance(caught.value, BuiltElsewhereError)


@pytest.mark.parametrize("method", ["makefile", "esbuild", "rust-cargolambda"])
def test_code_that_another_tool_builds_is_not_staged(tmp_path: Path, method: str) -> None:
    root = write(tmp_path / "project", {"src/app.py": ""})
    with pytest.raises(BuiltElsewhereError, match=f"App is built by '{method}'"):
        staged(root, tmp_path / "work", function(build_method=method))
    assert paths(staged(root, tmp_path / "skipped", function(build_method=method, skip_build=True))) == ["app.py"]


def test_code_that_is_not_built_ships_as_it_lies(tmp_path: Path) -> None:
    """`SkipBuild` and layers without a `BuildMethod`: nothing is installed, whatever stands in a requirements file."""
    root = write(tmp_path / "project", {"src/app.py": "", "src/requirements.txt": "-e .", "layer/python/lib.py": ""})
    assert paths(staged(root, tmp_path / "a", function(skip_build=True))) == ["app.py", "requirements.txt"]
    assert paths(staged(root, tmp_path / "b", layer(build_method=None))) == ["python/lib.py"]
    assert paths(staged(root, tmp_path / "c", function(runtime="nodejs22.x"))) == ["app.py", "requirements.txt"]


def test_a_layer_that_sam_builds_lies_below_python(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"layer/lib.py": "", "layer/deep/x.py": ""})
    assert paths(staged(root, tmp_path / "a", layer())) == ["python/deep/x.py", "python/lib.py"]
    assert paths(staged(root, tmp_path / "b", layer(build_method="python-uv"))) == ["python/deep/x.py", "python/lib.py"]


def test_a_runtime_that_is_not_known_is_said(tmp_path: Path) -> None:
    root = write(tmp_path / "project", {"src/app.py": ""})
    with pytest.raises(IncompleteError, match=r"python3\.99, the runtime of App, is not one that shipsafe can install for"):
        staged(root, tmp_path / "work", function(runtime="python3.99"))


@pytest.mark.parametrize(
    ("patterns", "reason"),
    [
        (f"# a note\n{'*a' * 40}b\n", r"src/\.shipsafeignore:2: More than 3 stars between two slashes, or 8 in one pattern"),
        ("**/a/" * 5 + "x\n", r"src/\.shipsafeignore:1: More than 3 stars"),
        ("x\n" * 1001, r"src/\.shipsafeignore: More than 1000 patterns"),
    ],
)
def test_patterns_that_would_take_for_ever_are_refused(tmp_path: Path, patterns: str, reason: str) -> None:
    root = write(tmp_path / "project", {"src/.shipsafeignore": patterns, f"src/{'a' * 200}.py": ""})
    with pytest.raises(IncompleteError, match=reason):
        staged(root, tmp_path / "work")


def test_patterns_as_people_write_them_are_taken(tmp_path: Path) -> None:
    patterns = "# ***** generated *****\n**/tests/**/*_test_*.py\n!**/keep/*.py\n*.egg-info/\n"
    files = {"src/.shipsafeignore": patterns, "src/app.py": "", "src/a/tests/b/x_test_y.py": "", "src/a/tests/keep/x_test_y.py": ""}
    tree = staged(write(tmp_path / "project", files), tmp_path / "work")
    assert [path for path in paths(tree) if path.endswith(".py")] == ["a/tests/keep/x_test_y.py", "app.py"]
