"""What these tests share."""

from collections.abc import Iterator

import pytest

from shipsafe.adapters.github_api import GitHub
from tests.approval.loopback import Api, served

TOKEN = "ghs_" + "t0ken" * 7


@pytest.fixture
def api() -> Iterator[Api]:
    """An API on this machine."""
    with served() as found:
        yield found


@pytest.fixture
def github(api: Api) -> GitHub:
    """GitHub, where no time passes."""
    return GitHub(url=api.url, token=TOKEN, sleep=lambda _: None)
