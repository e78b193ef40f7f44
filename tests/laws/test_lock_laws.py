"""Whatever stands in a lock, or in the files of a local package, reading it ends in what it says or in our error."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from shipsafe.adapters import process
from shipsafe.errors import ConfigError, IncompleteError, ShipsafeError
from shipsafe.model.location import Location
from shipsafe.model.policy import LockChoice
from shipsafe.packing.draft import Draft
from shipsafe.packing.local_packages import lay_locals, read_local
from shipsafe.packing.locks import read_needs
from shipsafe.packing.needs import Needs
from shipsafe.packing.poetry_versions import admits
from shipsafe.packing.runtimes import environment

_RUNTIME = environment("3.13", "x86_64")
_TEXTS = st.sampled_from(
    ["x", "y", "1.0", "2.0", "*", "^1", ">=1,<2", "main", "dev", "extra == 'a'", "python_version > '3'", "sha256:" + "a" * 64, "x [a]", ".",
     "../..", "/", "registry", "git", "directory", "https://u:p@e.com/x", "\0", "a\nb", "[",
     "setuptools", "hatchling.build", "uv_build"])  # fmt: skip
_KEYS = st.sampled_from(
    ["name", "version", "source", "dependencies", "groups", "markers", "marker", "files", "hash", "hashes", "file", "extras", "optional",
     "category", "type", "url", "path", "editable", "virtual", "registry", "git", "wheels", "sdist", "resolution-markers", "metadata",
     "optional-dependencies", "dev-dependencies", "extra", "x", "y", "packages", "package-dir", "find", "where", "include", "project",
     "tool", "poetry", "setuptools", "hatch", "build", "build-system", "build-backend", "requires", "uv", "flit", "module", "dynamic",
     "entry-points", "scripts", "module-name", "module-root", "targets", "wheel"])  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=15,
)
_TABLES = st.lists(st.dictionaries(_KEYS, _VALUES, max_size=6), max_size=3)
_CHOICES = st.builds(LockChoice, groups=st.sampled_from([(), ("main",), ("dev",), ("x",)]), extras=st.sampled_from([(), ("x",)]))


def toml(value: object) -> str:
    """A value as TOML; JSON's texts are TOML's."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps("none" if value is None else value)


def needs(name: str, text: str, choice: LockChoice) -> Needs | None:
    """What a lock says, or None where it is refused as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / name).write_text(text)
        (root / "work").mkdir()
        try:
            return read_needs(root / name, folder=root, root=root, boundary=root, environment=_RUNTIME, workspace=root / "work",
                              run=process.run, choice=choice)  # fmt: skip
        except (IncompleteError, ConfigError) as error:
            assert error.path  # noqa: PT017 - which error it is decides what must hold
            assert "u:p@" not in str(error)  # noqa: PT017
            return None


def check(found: Needs | None) -> None:
    """What reaches uv is a name, a version and digests."""
    for one in found.wanted if found else ():
        assert one.locked
        assert "\n" not in one.line()
        assert " --" not in one.line().replace(" --hash=sha256:" + "a" * 64, "")


@given(_TABLES, st.dictionaries(_KEYS, _VALUES, max_size=3), _CHOICES)
def test_any_poetry_lock_is_read_or_refused(packages: list[object], more: Mapping[str, object], choice: LockChoice) -> None:
    head = '[metadata]\nlock-version = "2.1"\npython-versions = "*"\n'
    check(needs("poetry.lock", f"package = {toml(packages)}\nmore = {toml(more)}\n{head}", choice))


@given(
    st.dictionaries(st.sampled_from(["default", "develop", "_meta", "dev"]), _VALUES | st.dictionaries(_KEYS, _VALUES, max_size=3)),
    _CHOICES,
)
def test_any_pipfile_lock_is_read_or_refused(document: Mapping[str, object], choice: LockChoice) -> None:
    check(needs("Pipfile.lock", json.dumps(document), choice))


@given(_TABLES, _CHOICES)
def test_any_uv_lock_is_read_or_refused(packages: list[object], choice: LockChoice) -> None:
    own = {"name": "own", "version": "1", "source": {"virtual": "."}, "dependencies": [{"name": "x"}, {"name": "y"}]}
    check(needs("uv.lock", f'version = 1\nrequires-python = ">=3.11"\npackage = {toml([own, *packages])}\n', choice))


_LINES = st.sampled_from(
    ["from setuptools import setup", "import os", "x = 1", "x = ['a']", "x = {'': 'src'}", "setup(name='x')", "setup(name=x, packages=x)",
     "setup(**x)", "setup()", "setup(package_dir=x)", "def f(): pass", "os.system('false')", "setup(", "if __name__ == '__main__':",
     "    setup(name='x', install_requires=[1, None])", "setup(entry_points={'a': ['b=c', 3]})", "setup(py_modules=['../x', 'app'])",
     "setup(packages=find_packages(1, *x))", "setup(packages=find_packages(where=['/'], bad=1))", "\0", "é = 1"])  # fmt: skip


@given(st.dictionaries(_KEYS, _VALUES, max_size=5), st.lists(_LINES, max_size=5).map("\n".join), st.booleans())
@example({}, "setup(name='x', packages=" + "[" * 200 + "]" * 200 + ")", False)  # noqa: FBT003 - an example of the law
def test_any_local_package_is_staged_within_the_tree_or_refused(project: Mapping[str, object], script: str, both: bool) -> None:  # noqa: FBT001
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "lib/src/x").mkdir(parents=True)
        (root / "lib/src/x/__init__.py").write_text("")
        (root / "lib/app.py").write_text("")
        (root / "lib/pyproject.toml").write_text("".join(f"{key} = {toml(value)}\n" for key, value in project.items()))
        if both:
            (root / "lib/setup.py").write_text(script)
        draft = Draft(root / "tree")
        draft.root.mkdir()
        try:
            local = read_local(root / "lib", name="x", version="1", requires=(), place=Location(path="lock"), root=root, boundary=root,
                               python="3.13")  # fmt: skip
            lay_locals([local], draft, "", root)
        except ShipsafeError as error:
            assert error.path  # noqa: PT017 - which error it is decides what must hold
        for path, entry in draft.entries.items():
            assert entry.source == draft.root / path
            assert ".." not in path.split("/")
            assert entry.source.resolve().is_relative_to(draft.root)


_VERSIONS = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)).map(lambda parts: ".".join(map(str, parts)))


@given(_VERSIONS, _VERSIONS)
def test_poetrys_operators_mean_what_its_page_says(lower: str, version: str) -> None:
    """`^1.2.3` is `>=1.2.3,<2.0.0`, `^0.2.3` is `>=0.2.3,<0.3.0`, `^0.0.3` is `>=0.0.3,<0.0.4`, `~1.2.3` is `>=1.2.3,<1.3.0`."""
    major, minor, patch = map(int, lower.split("."))
    upper = f"{major + 1}" if major else f"0.{minor + 1}" if minor else f"0.0.{patch + 1}"
    assert admits(f"^{lower}", version) == SpecifierSet(f">={lower},<{upper}").contains(version)
    assert admits(f"~{lower}", version) == SpecifierSet(f">={lower},<{major}.{minor + 1}").contains(version)
    assert admits(lower, version) == (lower == version)
    assert admits(f"<{lower} || >={lower}", version)
    assert not admits(f"<{lower}, >={lower}", version)
