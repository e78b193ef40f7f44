"""Fixtures of deploying; boto3 and the endpoint are imported by those tests that use them."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.verify.conftest import built, desk  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from shipsafe.local.pki import LocalRoot
    from tests.deploy.scene import Scene
    from tests.verify.desk import Desk


@pytest.fixture
def scene(desk: "Desk", local_aws: "Endpoint", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Scene":  # noqa: F811 - a fixture
    """A signed release, and an account without functions."""
    from tests.deploy.scene import make_scene  # noqa: PLC0415 - see above

    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    return make_scene(desk, local_aws, tmp_path)


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
def shop(built_shop: "Desk", local_aws: "Endpoint", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Scene":
    """A copy of it, signed."""
    from tests.deploy.scene import make_scene  # noqa: PLC0415 - see above

    shutil.copytree(built_shop.project, tmp_path / "project")
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    return make_scene(replace(built_shop, project=tmp_path / "project"), local_aws, tmp_path)
