"""The AWS side of a target, empty."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from tests.signing.setup.side import Side


@pytest.fixture
def side(local_aws: "Endpoint") -> "Side":
    from tests.signing.setup.side import Side  # noqa: PLC0415 - boto3, for those tests that use it

    return Side(local_aws)
