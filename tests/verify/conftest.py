"""Fixtures of what runs; boto3 and the endpoint are imported by those tests that use them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from tests.verify.live_world import World


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
