"""Fixtures of deploying; boto3 and the endpoint are imported by those tests that use them."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_endpoint import set_environment
from tests.verify.conftest import built, desk  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from shipsafe.local.pki import LocalRoot
    from tests.deploy.scene import Scene
    from tests.verify.desk import Desk


@pytest.fixture(scope="module")
def lasting(local_root: "LocalRoot") -> "Iterator[Endpoint]":
    """One endpoint for all tests of a file (one may run in a process): clients take longer to make than most deployments take."""
    from shipsafe.local.endpoint import start  # noqa: PLC0415 - see above

    with start(delay=timedelta(), root=local_root) as endpoint:
        yield endpoint


@pytest.fixture
def emptied(lasting: "Endpoint", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Endpoint":
    """It, with nothing in it."""
    set_environment(monkeypatch, lasting, tmp_path)
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    lasting.reset()
    return lasting


@pytest.fixture
def scene(desk: "Desk", emptied: "Endpoint", tmp_path: Path) -> "Scene":  # noqa: F811 - a fixture
    """A signed release, and an account without functions."""
    from tests.deploy.scene import make_scene  # noqa: PLC0415 - see above

    return make_scene(desk, emptied, tmp_path)


@pytest.fixture(scope="session")
def built_shop(tmp_path_factory: pytest.TempPathFactory, local_root: "LocalRoot") -> "Desk":
    """A release of two functions and a layer, built once."""
    from tests.deploy.shop import make_shop  # noqa: PLC0415 - see above

    home = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPSAFE_CACHE_DIR", str(home / "cache"))
        patch.setenv("SHIPSAFE_CONFIG_DIR", str(home / "config"))
        return make_shop(home, local_root)


@pytest.fixture
def shop(built_shop: "Desk", emptied: "Endpoint", tmp_path: Path) -> "Scene":
    """A copy of it, signed."""
    from tests.deploy.scene import make_scene  # noqa: PLC0415 - see above

    shutil.copytree(built_shop.project, tmp_path / "project")
    return make_scene(replace(built_shop, project=tmp_path / "project"), emptied, tmp_path)
