"""No code of the audited project is ever run: each known way to make an installer run it is tried with a marker file.

uv by itself falls for several of them (`-e` lines, `--no-binary` lines, `[pip] no-binary` of a `uv.toml`). Each is either refused
with its reason, or has no effect: then the same function ships the same files as without it.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from uv import find_uv_bin

from shipsafe.adapters import process
from shipsafe.errors import IncompleteError
from tests.packing.loopback import index, sdist, sha256, wheel
from tests.packing.staging import function, paths, policy, staged, write

SETUP = (
    "from pathlib import Path\nPath({marker!r}).write_text('setup.py ran')\nfrom setuptools import setup\nsetup(name='evil', version='1')\n"
)
BACKEND = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "evil"\nversion = "1"\n'
BACKENDS = "brings its own build backend, which would run here"
UV = 'version = 1\nrequires-python = ">=3.11"\n'
RUN = "from pathlib import Path\nPath({marker!r}).write_text('ran')\n"
HOOKS = ("setup.py", "backend.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "packaging.py", "uv.py", "encodings.py")


@pytest.fixture
def both(tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """An index where `both` has a wheel and a source distribution that would write the marker, and that marker."""
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    marker = tmp_path / "ran"
    with index(wheel("both", "1.0"), sdist("both", "1.0", str(marker))) as url:
        yield url, marker


def hostile(root: Path, marker: Path, files: dict[str, str]) -> Path:
    """A project in which everything that could be run, at its root and beside the code, writes the marker."""
    text = RUN.format(marker=str(marker))
    traps = {"setup.py": SETUP.format(marker=str(marker)), "evil.pth": f"import pathlib; pathlib.Path({str(marker)!r}).write_text('x')\n"}
    traps |= {name: text for name in HOOKS if name != "setup.py"}
    traps |= {"pyproject.toml": BACKEND}
    everywhere = {f"{place}{name}": content for place in ("", "src/", "src/local/") for name, content in traps.items()}
    return write(root, {"src/app.py": "", **everywhere, **files})


_WHEELS = ("--only-binary", ":all:")


@pytest.mark.parametrize(
    ("files", "requirements", "flags"),
    [
        ({}, "-e ./local\n", _WHEELS),
        ({}, "./local\n", ()),
        ({}, "evil @ file://{root}/src/local\n", ()),
        ({}, "both\n--no-binary both\n", _WHEELS),
        ({"src/uv.toml": '[pip]\nno-binary = ["both"]\n'}, "both\n", _WHEELS),
    ],
)
def test_the_traps_spring_when_uv_is_used_by_itself(
    tmp_path: Path, both: tuple[str, Path], files: dict[str, str], requirements: str, flags: tuple[str, ...]
) -> None:
    """Otherwise the tests below would prove nothing. Against three of them `--only-binary :all:` does not help."""
    url, marker = both
    root = tmp_path / "project"
    hostile(root, marker, {"src/requirements.txt": requirements.format(root=root), **files})
    more = ["--target", "../../target", "--default-index", url, "--python", sys.executable, "--no-cache", *flags]
    arguments = [find_uv_bin(), "pip", "install", *more, "-r", "requirements.txt"]
    subprocess.run(arguments, cwd=root / "src", check=False, capture_output=True)
    assert marker.exists()
    marker.unlink()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"src/requirements.txt": "-e .\n"}, f"src/requirements.txt:1: The local package in src {BACKENDS}"),
        ({"src/requirements.txt": "both\n--editable ./local\n"}, f"src/requirements.txt:2: The local package in src/local {BACKENDS}"),
        ({"src/requirements.txt": "./local\n"}, f"The local package in src/local {BACKENDS}"),
        ({"src/requirements.txt": "local/\n"}, "is not a requirement"),
        ({"src/requirements.txt": ".\n"}, f"The local package in src {BACKENDS}"),
        ({"src/requirements.txt": "file://{root}/src/local\n"}, "is a URL or a repository, which no index vouches for"),
        ({"src/requirements.txt": "git+file://{root}\n"}, "is a URL or a repository"),
        ({"src/requirements.txt": "evil @ file://{root}/src/local\n"}, "evil is asked for by URL"),
        ({"src/requirements.txt": "evil @ git+file://{root}\n"}, "evil is asked for by URL"),
        ({"src/requirements.txt": "both\n--no-binary :all:\n"}, "src/requirements.txt:2: --no-binary is refused: it would run"),
        ({"src/requirements.txt": "both --no-binary=both\n"}, "--no-binary is refused"),
        ({"src/requirements.txt": "both --config-settings x=y\n"}, "--config-settings is refused"),
        ({"src/requirements.txt": "--find-links ./local\nboth\n"}, "--find-links is refused"),
        ({"src/requirements.txt": "--index-url file://{root}/simple\nboth\n"}, "--index-url is refused"),
        ({"src/requirements.txt": "-r more.txt\n", "src/more.txt": "both\n-e .\n"}, f"src/more.txt:2: The local package in src {BACKENDS}"),
        ({"src/requirements.txt": "both\n-c more.txt\n", "src/more.txt": "--no-binary both\n"}, "src/more.txt:1: --no-binary is refused"),
        ({"src/requirements.txt": "-c more.txt\n", "src/more.txt": "both @ file://{root}/src/local\n"}, "both is asked for by URL"),
        ({"src/requirements.txt": "bo\\\nth\n-\\\ne .\n"}, f"src/requirements.txt:3: The local package in src {BACKENDS}"),
        ({"src/uv.lock": UV + '[[package]]\nname = "o"\nsource = {{ virtual = "." }}\ndependencies = [{{ name = "evil" }}]\n'
          '[[package]]\nname = "evil"\nversion = "1"\nsource = {{ editable = "local" }}\n'}, "The local package in src/local"),
        ({"src/uv.lock": UV + '[[package]]\nname = "o"\nsource = {{ virtual = "." }}\ndependencies = [{{ name = "evil" }}]\n'
          '[[package]]\nname = "evil"\nversion = "1"\nsource = {{ git = "file://{root}" }}\n'}, "evil does not come from an index (git"),
        ({"src/pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "evil"\ndirectory = {{ path = "local" }}\n'},
         f"The local package in src/local {BACKENDS}"),
    ],
)  # fmt: skip
def test_a_list_that_asks_to_run_code_is_refused(tmp_path: Path, both: tuple[str, Path], files: dict[str, str], reason: str) -> None:
    url, marker = both
    root = tmp_path / "project"
    hostile(root, marker, {name: text.format(root=root) for name, text in files.items()})
    with pytest.raises(IncompleteError) as caught:
        staged(root, tmp_path / "work", None, policy(index=url))
    assert reason in str(caught.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    "files",
    [
        {"uv.toml": '[pip]\nno-binary = ["both"]\nonly-binary = []\n'},
        {"src/uv.toml": "no-binary = true\nno-build = false\n"},
        {"pyproject.toml": BACKEND + '[tool.uv]\nno-binary = true\n[tool.uv.pip]\nno-binary = ["both"]\n'},
        {"pyproject.toml": BACKEND + '[tool.uv]\nindex-url = "http://127.0.0.1:9/simple"\nno-binary-package = ["both"]\n'},
        {"pyproject.toml": BACKEND + '[tool.uv]\nbuild-constraint-dependencies = []\n[tool.uv.extra-build-dependencies]\nboth = ["x"]\n'},
        {"pyproject.toml": BACKEND + '[[tool.uv.index]]\nname = "x"\nurl = "http://127.0.0.1:9/simple"\ndefault = true\n'},
        {"pyproject.toml": BACKEND + '[tool.uv.sources]\nboth = { path = "src/local" }\n[tool.uv]\noverride-dependencies = []\n'},
        {"src/.python-version": "/nowhere/python\n", ".python-version": "2.7\n"},
        {"pip.conf": "[global]\nno-binary = :all:\n", "setup.cfg": "[easy_install]\nindex_url = http://127.0.0.1:9\n"},
        {".env": "UV_NO_BINARY=1\nUV_INDEX_URL=http://127.0.0.1:9/simple\n"},
    ],
)  # fmt: skip
def test_a_setting_of_the_project_has_no_effect(tmp_path: Path, both: tuple[str, Path], files: dict[str, str]) -> None:
    url, marker = both
    root = hostile(tmp_path / "project", marker, {"src/requirements.txt": "both==1.0\n", **files})
    tree = staged(root, tmp_path / "work", None, policy(index=url))
    assert "both.py" in paths(tree)
    assert tree.distributions[0].index == url
    assert not marker.exists()


def test_tool_uv_beside_a_uv_lock_has_no_effect(tmp_path: Path, both: tuple[str, Path]) -> None:
    url, marker = both
    (name, data) = wheel("both", "1.0")
    lock = (
        'version = 1\nrequires-python = ">=3.11"\n'
        '[[package]]\nname = "evil"\nversion = "1"\nsource = { editable = "." }\ndependencies = [{ name = "both" }]\n'
        '[[package]]\nname = "both"\nversion = "1.0"\nsource = { registry = "http://127.0.0.1:9/simple" }\n'
        f'wheels = [{{ url = "http://127.0.0.1:9/{name}", hash = "{sha256(data)}" }}]\n'
    )
    settings = '[tool.uv]\nno-binary = true\nrequired-version = "==0.0.1"\n[tool.uv.sources]\nboth = { path = "local" }\n'
    root = hostile(tmp_path / "project", marker, {"src/uv.lock": lock, "src/pyproject.toml": BACKEND + settings})
    tree = staged(root, tmp_path / "work", None, policy(index=url))
    assert [(one.name, one.index) for one in tree.distributions] == [("both", url)]  # what the lock claims is not taken for the truth
    assert not marker.exists()


def test_variables_of_the_environment_have_no_effect(tmp_path: Path, both: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, marker = both
    root = hostile(tmp_path / "project", marker, {"src/requirements.txt": "both==1.0\n", "uv.toml": "[pip]\nno-binary = ['both']\n"})
    for name, value in {
        "UV_NO_BINARY": "1", "UV_NO_BINARY_PACKAGE": "both", "UV_CONFIG_FILE": str(root / "uv.toml"), "UV_INDEX_URL": "http://127.0.0.1:9",
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9", "UV_EXTRA_INDEX_URL": "http://127.0.0.1:9", "UV_FIND_LINKS": str(root),
        "UV_OVERRIDE": str(root / "src/app.py"), "UV_CONSTRAINT": str(root / "none"), "UV_PYTHON": "/nowhere", "UV_TARGET": str(root),
        "UV_PROJECT": str(root), "UV_WORKING_DIRECTORY": str(root), "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_COMPILE_BYTECODE": "1",
        "PIP_NO_BINARY": ":all:", "PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_TARGET": str(root), "PYTHONPATH": str(root),
        "PYTHONSTARTUP": str(root / "setup.py"), "PYTHONHOME": str(root), "VIRTUAL_ENV": str(root), "NETRC": str(root / "src/app.py"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    tree = staged(root, tmp_path / "work", None, policy(index=url))
    assert "both.py" in paths(tree)
    assert not any(path.endswith(".pyc") for path in paths(tree))
    assert not marker.exists()


def test_uv_is_started_in_a_folder_of_ours_and_never_in_the_project(
    tmp_path: Path, both: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run from inside the project, as a user does: what uv is given names nothing of it."""
    url, marker = both
    root = hostile(tmp_path / "project", marker, {"src/requirements.txt": "both==1.0\n"})
    monkeypatch.chdir(root)
    calls: list[tuple[list[str], Path]] = []

    def watched(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900) -> process.Finished:
        calls.append(([str(part) for part in argv], cwd))
        return process.run(argv, cwd=cwd, env=env, timeout=timeout)

    staged(root, tmp_path / "work", function(), policy(index=url), run=watched)
    assert len(calls) == 2
    for argv, cwd in calls:
        assert cwd.is_relative_to(tmp_path / "work")
        assert not any(str(root) in part for part in argv)
        assert {"--no-config", "--no-python-downloads", "--only-binary", "--default-index"} <= set(argv)
        assert argv[argv.index("--python") + 1] == sys.executable
    assert not marker.exists()
