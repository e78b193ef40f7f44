"""Fixtures of what runs; boto3 and the endpoint are imported by those tests that use them."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from shipsafe.local.pki import LocalRoot
    from tests.verify.desk import Desk
    from tests.verify.live_world import World


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, local_root: "LocalRoot") -> "Desk":
    """A release that was built once; tests work on copies of it."""
    from tests.verify.desk import make_desk  # noqa: PLC0415 - see above

    home = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPSAFE_CACHE_DIR", str(home / "cache"))
        patch.setenv("SHIPSAFE_CONFIG_DIR", str(home / "config"))
        return make_desk(home, local_root)


@pytest.fixture
def desk(built: "Desk", tmp_path: Path) -> "Desk":
    """A copy of it."""
    shutil.copytree(built.project, tmp_path / "project")
    return replace(built, project=tmp_path / "project")


@pytest.fixture
def world(local_aws: "Endpoint", tmp_path: Path) -> "World":
    """An account where things can be signed and deployed."""
    from tests.verify.live_world import make_world  # noqa: PLC0415 - see above

    return make_world(local_aws, tmp_path)


@pytest.fixture
def orders(world: "World") -> "World":
    """The same, with a function `orders` that runs what was signed, and its version 1 under the alias `live`."""
    from tests.verify.live_world import CODE  # noqa: PLC0415 - see above

    world.deploy("orders", world.signed("Orders", {"app.py": CODE}))
    world.publish("orders")
    world.lambda_.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    return world
