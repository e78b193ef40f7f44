"""Local packages: what their own build tool would put into a wheel is what ships, and nothing of them is ever run."""

import csv
import io
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from shipsafe.errors import IncompleteError
from shipsafe.model.tree import Origin, ProblemKind, Source, StagedTree
from tests.packing.staging import distribution, paths, policy, staged, write

BASIC = '[project]\nname = "acme-shared"\nversion = "1.2"\nrequires-python = ">=3.11"\n'
LIST = "-e ../lib\n"
PATIENT = {"UV_HTTP_TIMEOUT": "120", "UV_HTTP_RETRIES": "10"}  # a registry that is slow for a moment says nothing about a layout


def backend(name: str, requires: str, more: str = "") -> str:
    return f'{BASIC}{more}[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{name}"\n'


SETUPTOOLS = backend("setuptools.build_meta", "setuptools>=77")
HATCH = backend("hatchling.build", "hatchling")
UV = backend("uv_build", "uv_build")
FLIT = backend("flit_core.buildapi", "flit_core >=3.11,<4", 'description = "x"\n')
POETRY = backend("poetry.core.masonry.api", "poetry-core>=2")
PDM = backend("pdm.backend", "pdm-backend")
OLD_POETRY = (
    '[tool.poetry]\nname = "acme-shared"\nversion = "1.2"\ndescription = ""\nauthors = []\nPACKAGES\n[tool.poetry.dependencies]\n'
    'python = ">=3.11"\n[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
)
SETUP_PY = "from setuptools import setup\n"
SETUP = """'''A legacy package.'''
from setuptools import find_packages, setup
with open("README.md") as file:
    text = file.read()
VERSION = "1.2"
setup(name="acme-shared", version=VERSION, packages=find_packages(where="lib", exclude=["tests*"]), package_dir={"": "lib"},
      long_description=text, install_requires=["leaf>=1"], author="A", classifiers=["x" for _ in range(0)])
"""
CFG = """[metadata]
name = acme-shared
version = 1.2
[options]
package_dir =
    = src
packages = find:
install_requires =
    leaf>=1 ; python_version > "3"
    ghost ; sys_platform == "win32"
[options.packages.find]
where = src
[options.entry_points]
acme.plugins =
    one = acme_shared:one
"""

# name -> (project files, files that must ship)
PACKAGE = ("__init__.py", "deep/__init__.py", "deep/data.json", "py.typed")
LAYOUTS: dict[str, tuple[dict[str, str], str, tuple[str, ...]]] = {
    "setuptools-src": ({"pyproject.toml": SETUPTOOLS}, "src/acme_shared", ("acme_shared",)),
    "setuptools-src-other-name": ({"pyproject.toml": SETUPTOOLS}, "src/other", ("other",)),
    "setuptools-flat": ({"pyproject.toml": SETUPTOOLS, "tests/__init__.py": ""}, "acme_shared", ("acme_shared",)),
    "setuptools-flat-other-name": ({"pyproject.toml": SETUPTOOLS, "docs/__init__.py": ""}, "other", ("other",)),
    "setuptools-listed": (
        {"pyproject.toml": SETUPTOOLS + '[tool.setuptools]\npackages = ["other", "other.deep"]\npackage-dir = {"" = "code"}\n'},
        "code/other", ("other",)),
    "setuptools-moved": (
        {"pyproject.toml": SETUPTOOLS + '[tool.setuptools]\npackages = ["other", "other.deep"]\npackage-dir = {other = "code"}\n'},
        "code", ("other",)),
    "setuptools-found": (
        {"pyproject.toml": SETUPTOOLS + '[tool.setuptools.packages.find]\nwhere = ["code"]\ninclude = ["oth*"]\n',
         "code/not/__init__.py": ""},
        "code/other", ("other",)),
    "setuptools-cfg": ({"setup.cfg": CFG, "setup.py": SETUP_PY + "setup()\n"}, "src/acme_shared", ("acme_shared",)),
    "setuptools-py": ({"setup.py": SETUP, "README.md": "", "lib/tests/__init__.py": ""}, "lib/acme_shared", ("acme_shared",)),
    "hatch-src": ({"pyproject.toml": HATCH}, "src/acme_shared", ("acme_shared",)),
    "hatch-flat": ({"pyproject.toml": HATCH, "tests/__init__.py": ""}, "acme_shared", ("acme_shared",)),
    "hatch-named": (
        {"pyproject.toml": HATCH + '[tool.hatch.build.targets.wheel]\npackages = ["code/other"]\n'}, "code/other", ("other",)),
    "uv-src": ({"pyproject.toml": UV}, "src/acme_shared", ("acme_shared",)),
    "uv-named": (
        {"pyproject.toml": UV + '[tool.uv.build-backend]\nmodule-root = ""\nmodule-name = "other"\n'}, "other", ("other",)),
    "uv-namespace": (
        {"pyproject.toml": UV + '[tool.uv.build-backend]\nmodule-name = "acme.shared"\n'}, "src/acme/shared", ("acme/shared",)),
    "flit": ({"pyproject.toml": FLIT}, "acme_shared", ("acme_shared",)),
    "flit-named": ({"pyproject.toml": FLIT + '[tool.flit.module]\nname = "other"\n'}, "src/other", ("other",)),
    "poetry": ({"pyproject.toml": POETRY}, "src/acme_shared", ("acme_shared",)),
    "poetry-named": (
        {"pyproject.toml": OLD_POETRY.replace("PACKAGES", 'packages = [{include = "other", from = "code"}]')}, "code/other", ("other",)),
    "pdm": ({"pyproject.toml": PDM}, "src/acme_shared", ("acme_shared",)),
}  # fmt: skip


def local(tmp_path: Path, files: dict[str, str | bytes], text: str = LIST, index: str | None = None) -> StagedTree:
    root = write(
        tmp_path / "project", {"src/app.py": "", "src/requirements.txt": text, **{f"lib/{name}": data for name, data in files.items()}}
    )
    return staged(root, tmp_path / "work", None, policy(index=index))


def content(where: str) -> dict[str, str]:
    return {f"{where}/{file}": f"# {file}\n" if file.endswith("py") else "" for file in PACKAGE}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_ships_its_package(tmp_path: Path, local_index: str, layout: str) -> None:
    files, where, targets = LAYOUTS[layout]
    tree = local(tmp_path, {**files, **content(where)}, index=local_index)
    one = distribution(tree, "acme-shared")
    assert (one.version, one.source) == ("1.2", Source.LOCAL)
    own = {path for path in one.paths if ".dist-info/" not in path}
    assert own == {f"{target}/{file}" for target in targets for file in PACKAGE}
    assert all(entry.origin is Origin.CODE for entry in tree.entries if entry.path in own)
    source = next(entry for entry in tree.entries if entry.path == f"{targets[0]}/__init__.py").location
    assert source is not None
    assert source.path == f"lib/{where}/__init__.py"  # a finding of lint points at the file that a person edits


@pytest.mark.registry
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_ships_the_modules_that_its_own_tool_builds(tmp_path: Path, local_index: str, layout: str) -> None:
    """The build tool itself makes a wheel; tools that leave data files out by default put fewer of those into it."""
    files, where, _ = LAYOUTS[layout]
    tree = local(tmp_path, {**files, **content(where)}, index=local_index)
    subprocess.run([find_uv_bin(), "build", "--wheel", "--out-dir", tmp_path / "out", "--no-config", "--quiet", "--no-create-gitignore"],
                   cwd=tmp_path / "project" / "lib", check=True, capture_output=True, env=os.environ | PATIENT)  # fmt: skip
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.whl"))) as built:
        expected = {name for name in built.namelist() if ".dist-info/" not in name and not name.endswith("/")}
        info = next(name.partition("/")[0] for name in built.namelist() if ".dist-info/" in name)
    own = {path for path in distribution(tree, "acme-shared").paths if ".dist-info/" not in path}
    assert {path for path in own if path.endswith(".py")} == {path for path in expected if path.endswith(".py")}
    assert expected <= own
    assert distribution(tree, "acme-shared").dist_info == info


def test_the_metadata_is_what_the_standard_asks_for(tmp_path: Path, local_index: str) -> None:
    tree = local(tmp_path, {"setup.cfg": CFG, "src/acme_shared/__init__.py": "one = 1\n"}, index=local_index)
    texts = {entry.path: entry.source.read_text() for entry in tree.entries if entry.path.startswith("acme_shared-1.2.dist-info/")}
    assert texts["acme_shared-1.2.dist-info/METADATA"] == "Metadata-Version: 2.1\nName: acme-shared\nVersion: 1.2\nRequires-Dist: leaf>=1\n"
    assert texts["acme_shared-1.2.dist-info/INSTALLER"] == "shipsafe\n"
    assert texts["acme_shared-1.2.dist-info/entry_points.txt"] == "[acme.plugins]\none = acme_shared:one\n"
    rows = list(csv.reader(io.StringIO(texts["acme_shared-1.2.dist-info/RECORD"])))
    assert sorted(row[0] for row in rows) == sorted(distribution(tree, "acme-shared").paths)
    assert all(row[1].startswith("sha256=") for row in rows[:-1])
    assert rows[-1] == ["acme_shared-1.2.dist-info/RECORD", "", ""]
    assert [one.name for one in tree.distributions] == ["acme-shared", "leaf"]
    assert distribution(tree, "leaf").via == ("acme-shared",)
    assert [problem.kind for problem in tree.problems] == [ProblemKind.UNLOCKED]  # `leaf>=1` has no lock


def test_who_made_a_local_package_and_what_it_is_reaches_the_bill(tmp_path: Path) -> None:
    about = 'description = "Ours."\nlicense = "Apache-2.0"\nauthors = [{name = "ACME", email = "a@example.com"}]\n'
    tree = local(tmp_path, {"pyproject.toml": backend("uv_build", "uv_build", about), "src/acme_shared/x.py": ""})
    metadata = next(entry for entry in tree.entries if entry.path.endswith("/METADATA")).source.read_text()
    assert metadata.splitlines()[3:] == ["Summary: Ours.", "Author: ACME", "Author-email: a@example.com", "License: Apache-2.0"]


@pytest.mark.parametrize("text", ["a\\nb", "a\\u0000", "x" * 600])
def test_no_text_of_a_project_file_can_write_another_line_of_metadata(tmp_path: Path, text: str) -> None:
    project = UV.replace(
        "requires-python", f'description = "{text}"\n[project.entry-points."{text}"]\na = "b"\n[project.scripts]\na = "{text}"\n#'
    )
    tree = local(tmp_path, {"pyproject.toml": project, "src/acme_shared/x.py": ""})
    info = {entry.path.rpartition("/")[2]: entry.source.read_text() for entry in tree.entries if ".dist-info/" in entry.path}
    assert info.keys() == {"METADATA", "INSTALLER", "RECORD"}
    assert info["METADATA"] == "Metadata-Version: 2.1\nName: acme-shared\nVersion: 1.2\n"


def test_a_change_in_a_local_package_changes_the_tree(tmp_path: Path, local_index: str) -> None:
    files: dict[str, str | bytes] = {"pyproject.toml": UV, "src/acme_shared/__init__.py": "a = 1\n"}
    first = local(tmp_path, files, index=local_index)
    again = staged(tmp_path / "project", tmp_path / "again", None, policy(index=local_index))
    write(tmp_path / "project", {"lib/src/acme_shared/__init__.py": "a = 2\n"})
    other = staged(tmp_path / "project", tmp_path / "other", None, policy(index=local_index))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert first.content_digest == again.content_digest != other.content_digest


NATIVE = "is not pure Python"
HOOK = '[tool.hatch.build.hooks.custom]\npath = "x.py"\n'


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "Nothing in lib says what the package is called"),
        ({"pyproject.toml": "not toml ["}, "lib/pyproject.toml: Not valid TOML"),
        ({"pyproject.toml": UV}, "names 'acme_shared', which is not in its folder. Correct its pyproject.toml."),
        ({"pyproject.toml": FLIT}, "has neither src/acme_shared nor acme_shared"),
        ({"pyproject.toml": SETUPTOOLS, "a/__init__.py": "", "b/__init__.py": ""}, "nobody can tell which of its files ship"),
        ({"pyproject.toml": UV.replace(">=3.11", ">=3.14"), "src/acme_shared/x.py": ""}, "is for Python >=3.14, and the runtime has 3.13"),
        ({"pyproject.toml": UV.replace('"1.2"', '"one"')}, "The version 'one' of the package in lib is none"),
        ({"pyproject.toml": SETUPTOOLS, "src/acme_shared/x.c": ""}, f"lib/src/acme_shared/x.c: The local package acme-shared {NATIVE}"),
        ({"pyproject.toml": SETUPTOOLS, "src/acme_shared/fast.pyx": ""}, NATIVE),
        ({"pyproject.toml": SETUPTOOLS, "src/acme_shared/fast.so": b"\x7fELF"}, NATIVE),
        ({"pyproject.toml": SETUPTOOLS, "src/acme_shared/libfast.so.1.2": b"\x7fELF"}, NATIVE),
        ({"pyproject.toml": backend("maturin", "maturin")}, "is built by 'maturin', of which shipsafe does not know"),
        ({"pyproject.toml": backend("scikit_build_core.build", "scikit-build-core")}, "is built by 'scikit_build_core.build'"),
        ({"pyproject.toml": backend("mesonpy", "meson-python")}, "is built by 'mesonpy'"),
        ({"pyproject.toml": SETUPTOOLS.replace("setuptools>=77", "Cython>=3")}, "needs 'Cython>=3' to be built"),
        ({"pyproject.toml": SETUPTOOLS.replace("setuptools>=77", "setuptools_rust")}, "needs 'setuptools_rust' to be built"),
        ({"pyproject.toml": UV, "Cargo.toml": ""}, "has a Cargo.toml: it is built by code"),
        ({"pyproject.toml": PDM, "pdm_build.py": ""}, "has a pdm_build.py"),
        ({"pyproject.toml": SETUPTOOLS + '[[tool.setuptools.ext-modules]]\nname = "x"\n'}, "has `ext-modules` in [tool.setuptools]"),
        ({"pyproject.toml": SETUPTOOLS + '[tool.setuptools.cmdclass]\nbuild = "x.y"\n'}, "has `cmdclass` in [tool.setuptools]"),
        ({"pyproject.toml": HATCH + HOOK}, "has `hooks` in [tool.hatch.build]"),
        ({"pyproject.toml": HATCH + HOOK.replace("build.hooks", "build.targets.wheel.hooks")}, "[tool.hatch.build.targets.wheel]"),
        ({"pyproject.toml": HATCH + '[tool.hatch.build.targets.wheel.force-include]\n"/etc/passwd" = "x"\n'}, "has `force-include`"),
        ({"pyproject.toml": HATCH + '[tool.hatch.build.targets.wheel]\npackages = ["../../etc"]\n'}, "which is not in its folder"),
        ({"pyproject.toml": HATCH + '[tool.hatch.build.targets.wheel]\npackages = ["/etc"]\n'}, "which is not in its folder"),
        ({"pyproject.toml": SETUPTOOLS + '[tool.setuptools.packages.find]\nwhere = ["/"]\n'}, "which is not in its folder"),
        ({"pyproject.toml": SETUPTOOLS + '[tool.setuptools]\npackages = ["../x"]\n'}, "names '../x', which is not in its folder"),
        ({"pyproject.toml": SETUPTOOLS + '[tool.setuptools]\npackages = ["x"]\npackage-dir = {x = "../src"}\n'}, "not in its folder"),
        ({"pyproject.toml": OLD_POETRY.replace("PACKAGES", 'build = "build.py"')}, "has `build` in [tool.poetry]"),
        ({"pyproject.toml": OLD_POETRY.replace("PACKAGES", 'packages = [{include = "x", to = "y"}]')}, "that move or match files"),
        ({"setup.py": "import os\nos.system('true')\n"}, "lib/setup.py:2: The local package in lib has a setup.py that does more than"),
        ({"setup.py": SETUP_PY + "setup(name='x', ext_modules=[])\n"}, "gives ext_modules to setup()"),
        ({"setup.py": SETUP_PY + "setup(name='x', cmdclass={})\n"}, "gives cmdclass to setup()"),
        ({"setup.py": SETUP_PY + "setup(**{'name': 'x'})\n"}, "gives ** to setup()"),
        ({"setup.py": SETUP_PY + "setup(name='x', version=open('v').read())\n"}, "computes version"),
        ({"setup.py": SETUP_PY + "packages = ['x'] + more()\nsetup(name='x', packages=packages)\n"}, "computes packages"),
        ({"setup.py": "x = 1\n"}, "has a setup.py that does not call setup()"),
        ({"setup.py": "(" * 10_000}, "has a setup.py that is not Python"),
        ({"setup.cfg": "[options]\nsetup_requires = x\n"}, "has `setup_requires` in its setup.cfg"),
        ({"setup.cfg": "no section\n"}, "has a setup.cfg that cannot be read"),
        ({"setup.py": SETUP_PY + "setup(name='acme-shared', packages=['p'])\n", "p/x.py": "", "pyproject.toml": "[project]\n"
          'name = "acme-shared"\ndynamic = ["dependencies", "version"]\n'}, "do not say in plain lines what it needs"),
    ],
)  # fmt: skip
def test_what_only_a_build_would_tell_is_refused(tmp_path: Path, files: dict[str, str | bytes], message: str) -> None:
    with pytest.raises(IncompleteError) as caught:
        local(tmp_path, files or {"empty": ""})
    assert message in str(caught.value)


def test_the_refusal_says_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match=r"Build a wheel of it, .* or stage with your own tool and use `shipsafe build --prebuilt`\."):
        local(tmp_path, {"pyproject.toml": SETUPTOOLS, "src/acme_shared/fast.c": ""})


@pytest.mark.parametrize(("text", "message"), [("-e ../gone\n", "The local package gone is not there: 'gone'"),
                                               ("-e /\n", "lies outside the repository"), ("-e ../../other\n", "other is not there"),
                                               ("../lib\n-e ../lib\n", "acme-shared is asked for twice")])  # fmt: skip
def test_a_folder_that_cannot_be_taken_is_refused_at_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(IncompleteError, match=r"^src/requirements.txt:\d: ") as caught:
        local(tmp_path, {"pyproject.toml": UV, "src/acme_shared/x.py": ""}, text)
    assert message in str(caught.value)


def test_a_link_out_of_the_repository_does_not_ship(tmp_path: Path) -> None:
    root = write(
        tmp_path / "project", {"src/app.py": "", "src/requirements.txt": LIST, "lib/pyproject.toml": UV, "lib/src/acme_shared/x.py": ""}
    )
    (root / "lib/src/acme_shared/passwd").symlink_to("/etc/passwd")
    tree = staged(root, tmp_path / "work", None, policy())
    assert "acme_shared/passwd" not in paths(tree)
    assert [problem.kind for problem in tree.problems] == [ProblemKind.ESCAPING_LINK]
    (root / "out").symlink_to("/usr")
    write(root, {"src/requirements.txt": "-e ../out\n"})
    with pytest.raises(IncompleteError, match="lies outside the repository"):
        staged(root, tmp_path / "again", None, policy())


def test_code_that_hides_a_local_package_is_told(tmp_path: Path) -> None:
    tree = local(tmp_path, {"pyproject.toml": UV, "src/acme_shared/__init__.py": "a = 1\n", "../src/acme_shared/__init__.py": "a = 2\n"})
    assert [(problem.kind, problem.key) for problem in tree.problems] == [(ProblemKind.NAME_COLLISION, "acme_shared/")]


def test_a_distribution_that_lies_in_a_local_package_is_not_taken_for_it(tmp_path: Path) -> None:
    """A vendored copy with metadata of its own is what it was before: of unknown origin."""
    vendored = "Metadata-Version: 2.1\nName: requests\nVersion: 2.0\n"
    tree = local(
        tmp_path, {"pyproject.toml": UV, "src/acme_shared/x.py": "", "src/acme_shared/_vendor/requests-2.0.dist-info/METADATA": vendored}
    )
    assert {one.name: one.source for one in tree.distributions} == {"acme-shared": Source.LOCAL, "requests": Source.BUNDLED}


def test_a_local_package_is_not_named_by_a_version_that_only_a_build_knows(tmp_path: Path) -> None:
    dynamic = UV.replace('version = "1.2"', 'dynamic = ["version"]')
    assert distribution(local(tmp_path, {"pyproject.toml": dynamic, "src/acme_shared/x.py": ""}), "acme-shared").version == "0+unknown"


@pytest.mark.parametrize(
    ("project", "file"),
    [
        (HATCH + '[tool.hatch.version]\npath = "src/acme_shared/__about__.py"\n', "src/acme_shared/__about__.py"),
        (SETUPTOOLS + '[tool.setuptools.dynamic]\nversion = {attr = "acme_shared.__version__"}\n', "src/acme_shared/__init__.py"),
    ],
)
def test_a_version_that_stands_in_a_file_is_read_and_not_computed(tmp_path: Path, project: str, file: str) -> None:
    files = {"pyproject.toml": project.replace('version = "1.2"', 'dynamic = ["version"]'), "src/acme_shared/x.py": ""}
    assert distribution(local(tmp_path, {**files, file: '__version__ = "3.4"\n'}), "acme-shared").version == "3.4"
