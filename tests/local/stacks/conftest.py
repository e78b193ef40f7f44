import pytest

from shipsafe.local.endpoint import Endpoint
from tests.local.stacks.shop import Shop


@pytest.fixture
def shop(local_aws: Endpoint) -> Shop:
    return Shop(local_aws)
