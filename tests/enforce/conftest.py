"""The account that `enforce` is tried on."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from tests.enforce.shop import Shop


@pytest.fixture
def shop(local_aws: "Endpoint") -> "Shop":
    from tests.enforce.shop import Shop  # noqa: PLC0415 - boto3, for those tests that use it

    return Shop(local_aws)
