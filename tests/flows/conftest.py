"""The shop of tests/flows/shop.py, built once for all files that only read it, and an output folder of one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.shop import built, copied, packages


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Of the index that has what the shop needs."""
    with packages() as address:
        yield address


@pytest.fixture(scope="session")
def shop(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a key. Tests write no file there but `protected.toml`, or take theirs away again."""
    return built(tmp_path_factory.mktemp("shop"), address)


@pytest.fixture
def dist(shop: Path, tmp_path: Path) -> Path:
    """Its output folder, to write to."""
    return copied(shop, tmp_path)
