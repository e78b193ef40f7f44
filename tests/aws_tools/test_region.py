"""The Region that a command works in where neither policy nor profile names one."""

import pytest

from shipsafe.adapters.aws.session import Place, open_aws
from shipsafe.errors import ConfigError


@pytest.mark.usefixtures("local_aws")
def test_aws_region_is_taken_as_other_sdks_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 reads AWS_DEFAULT_REGION alone, and the error asks for AWS_REGION."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    assert open_aws(Place()).region == "ap-south-1"
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(ConfigError, match="No AWS region is named anywhere"):
        open_aws(Place())
