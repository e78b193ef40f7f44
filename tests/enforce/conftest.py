"""The account that `enforce` is tried on; boto3 and the endpoint are imported by those tests that use it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_endpoint import set_environment

if TYPE_CHECKING:
    from shipsafe.adapters.aws.session import Aws, Place
    from shipsafe.local.endpoint import Endpoint
    from shipsafe.local.pki import LocalRoot
    from tests.enforce.shop import Shop

    Lasting = tuple[Endpoint, dict[Place, Aws]]


@pytest.fixture(scope="module")
def lasting(local_root: "LocalRoot") -> "Iterator[Lasting]":
    """One endpoint for a module, and the clients for it: they take longer to make than most of these tests take."""
    from shipsafe.local.endpoint import start  # noqa: PLC0415 - see above

    with start(delay=timedelta(), root=local_root) as endpoint:
        yield endpoint, {}


@pytest.fixture
def shop(lasting: "Lasting", monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Shop":
    """An account with a signing profile, and nothing else in it."""
    from tests.enforce.shop import Shop  # noqa: PLC0415 - see above

    endpoint, opened = lasting
    set_environment(monkeypatch, endpoint, tmp_path)
    endpoint.reset()
    return Shop(endpoint, opened=opened)
