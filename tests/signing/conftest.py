"""The local endpoint with a bucket and a profile to sign with."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shipsafe.signing.layout import PLATFORM

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from tests.signing.place import Site


@pytest.fixture
def site(local_aws: "Endpoint", tmp_path: Path) -> "Site":
    from tests.signing.place import BUCKET, TARGET, Site  # noqa: PLC0415 - boto3, for those tests that use it

    folder = tmp_path / "dist"
    folder.mkdir()
    site = Site(local_aws, folder)
    s3 = site.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    site.client("signer").put_signing_profile(profileName=TARGET.profile, platformId=PLATFORM)
    return site
