"""What the runs of a worker share: a Python as runners have one, an installed shipsafe, and the AWS side."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.act import SYSTEM_PATH
from tests.pipeline.aws import AwsSide, aws_side
from tests.pipeline.consumer import SHA, Consumer
from tests.pipeline.github import GitHub
from tests.pipeline.project import FILES

if TYPE_CHECKING:
    from shipsafe.local.pki import LocalRoot

WORDS = ["ship", "permissions", "uses", "with"]
Opened = Callable[..., Consumer]


@pytest.fixture(scope="session")
def four_lines(repository: Path) -> str:
    """A workflow of the README's four lines as they are printed there, but for the commit of the last release."""
    (block,) = re.findall(r"<!-- pipeline -->\n```yaml\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert [line.split(":")[0].strip() for line in block.splitlines()] == WORDS
    return "on: [push, pull_request]\njobs:\n" + indent(block.replace("@SHA ", f"@{SHA} "), "  ")


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a runner of GitHub's has: Python with pip; and the machine's cache of wheels, so that no run fetches what is here."""
    folder = tmp_path_factory.mktemp("runner")
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys.base_prefix}/bin/python3 "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return {
        "PATH": f"{folder}:{SYSTEM_PATH}",
        "PIP_CACHE_DIR": str(folder / "pip"),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache/uv"),
        "SHIPSAFE_UV_CACHE": "trusted",
    }


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where shipsafe is installed once for the jobs of many runs, those of other workers too."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "installed"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory, local_root: "LocalRoot") -> Iterator[AwsSide]:
    """An account with all that a release needs. A process has one endpoint at a time, and the next file may want another."""
    with aws_side(tmp_path_factory.mktemp("aws"), local_root, github=GITHUB) as side:
        yield side


GITHUB = GitHub(repository="acme/orders")  # whose key the account trusts


@pytest.fixture
def opened(tmp_path: Path, repository: Path, runner: dict[str, str], installed: Path, four_lines: str) -> Opened:
    """Makes a consumer that calls the pipeline with the README's four lines: its project, and what a test has in place of parts."""

    def make(files: dict[str, str] | None = None, *, aws: AwsSide | None = None, caller: str = "", install_anew: bool = False) -> Consumer:
        consumer = Consumer(
            folder=tmp_path / "world",
            product=repository,
            environment=runner | (dict(aws.environment) if aws else {}),
            installed=None if install_anew else installed,
        )
        if aws:
            consumer.github = GITHUB.anew()
        policy = {"shipsafe.toml": aws.policy} if aws else {}
        consumer.commit({".github/workflows/ship.yml": caller or four_lines, **FILES, **policy, **(files or {})}, "begin")
        return consumer

    return make
