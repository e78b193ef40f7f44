"""An endpoint on this machine is one for all services, or none is used; a profile that is not there is named."""

from pathlib import Path

import pytest

from shipsafe.adapters.aws.session import Place, open_aws
from shipsafe.errors import ConfigError

ELSEWHERE = "http://s3.example.invalid"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile odd]\nignore_configured_endpoint_urls = true\n")
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def refused(profile: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        open_aws(Place(region="eu-west-1", aws_profile=profile))
    return caught.value.what


def test_a_service_that_is_asked_elsewhere_beside_a_local_endpoint_is_refused_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", ELSEWHERE)
    assert refused() == "AWS_ENDPOINT_URL leads to this machine, and sts would be asked at s3.example.invalid."


def test_endpoints_that_are_ignored_lead_to_aws_and_are_refused_beside_a_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused("odd").endswith("and sts would be asked at sts.eu-west-1.amazonaws.com.")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert refused().endswith("and sts would be asked at sts.eu-west-1.amazonaws.com.")


def test_a_profile_that_is_not_there_is_named_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused("release") == "AWS's configuration has no profile 'release'."
    monkeypatch.setenv("AWS_PROFILE", "gone")
    assert refused() == "AWS's configuration has no profile 'gone'."
