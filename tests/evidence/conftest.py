"""A real tree: distributions that uv installed from the registry, described by the standard library alone."""

import hashlib
import os
import shutil
import subprocess
from importlib.metadata import Distribution as Installed
from importlib.metadata import distributions
from pathlib import Path

import pytest
import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shipsafe.model.location import Location
from shipsafe.model.tree import FILE_MODE, Distribution, Entry, Origin, Source, StagedTree

# Old and new metadata, a name with a dot and one with capitals, licences as expression, classifier and text.
PINS = ("requests==2.32.3", "jinja2==3.1.4", "PyYAML==6.0.2", "ruamel.yaml==0.18.6", "python-dateutil==2.9.0.post0", "attrs==24.2.0")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with those distributions in it."""
    target = tmp_path_factory.mktemp("installed") / "tree"
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-config", "--only-binary", ":all:", "--target", str(target), *PINS]
    patient = {"UV_HTTP_TIMEOUT": "120", "UV_HTTP_RETRIES": "10"}  # a registry that is slow for a moment says nothing about an SBOM
    subprocess.run(command, check=True, capture_output=True, env=os.environ | patient)
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)
    return target


@pytest.fixture(scope="session")
def real_tree(installed: Path) -> StagedTree:
    """The staged tree that it would be."""
    return tree_of(installed)


def entries_of(folder: Path) -> tuple[Entry, ...]:
    """Every file of a folder, as it would stand in the zip."""
    entries = []
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix()
            data = path.read_bytes()
            entries.append(
                Entry(
                    path=name,
                    mode=FILE_MODE,
                    size=len(data),
                    sha256=hashlib.sha256(data).hexdigest(),
                    source=path,
                    origin=Origin.CODE if name == "app.py" else Origin.DEPENDENCY,
                )
            )
    return tuple(sorted(entries, key=lambda entry: entry.path.encode()))


def tree_of(folder: Path) -> StagedTree:
    """A staged tree of a folder; what lies in it was installed from PyPI, but for app.py."""
    found = {canonicalize_name(one.metadata["Name"]): one for one in distributions(path=[str(folder)])}
    requires = {name: tuple(need for need in _needs(one) if need in found) for name, one in found.items()}
    needed = {need for needs in requires.values() for need in needs}
    return StagedTree(
        subject="function:Orders",
        root=folder,
        entries=entries_of(folder),
        distributions=tuple(
            Distribution(
                name=name,
                version=one.version,
                source=Source.INDEX,
                dist_info=one._path.name,  # type: ignore[attr-defined]  # of a PathDistribution
                index="https://pypi.org/simple",
                location=Location(path="requirements.txt", line=1),
                requires=requires[name],
                via=("parent",) if name in needed else (),
                hashes=(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}",),
                paths=tuple(str(path) for path in one.files or ()),
            )
            for name, one in sorted(found.items())
        ),
        python="3.11",
        platform="x86_64-manylinux2014",
        inputs=("requirements.txt",),
    )


def _needs(one: Installed) -> list[str]:
    requirements = map(Requirement, one.requires or [])
    return sorted({canonicalize_name(need.name) for need in requirements if not need.marker or need.marker.evaluate({"extra": ""})})
