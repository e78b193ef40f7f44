"""Fixtures of deploying; boto3 and the endpoint are imported by those tests that use them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.verify.conftest import built, desk  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from tests.deploy.scene import Scene
    from tests.verify.desk import Desk


@pytest.fixture
def scene(desk: "Desk", local_aws: "Endpoint", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Scene":  # noqa: F811 - a fixture
    """A signed release, and an account without functions."""
    from tests.deploy.scene import make_scene  # noqa: PLC0415 - see above

    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    return make_scene(desk, local_aws, tmp_path)
