"""The local endpoint with a bucket and a profile to sign with."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from tests.signing.place import Site


@pytest.fixture
def site(local_aws: "Endpoint", tmp_path: Path) -> "Site":
    from tests.signing.place import Site, make_bucket, make_profile  # noqa: PLC0415 - boto3, for those tests that use it

    make_bucket()
    make_profile()
    folder = tmp_path / "dist"
    folder.mkdir()
    return Site(local_aws, folder)
