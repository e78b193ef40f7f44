"""A signed layer becomes one version, whatever happens to the answers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.aws.layers import list_layer_versions
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from shipsafe.model.signing import SignedArtifact
from shipsafe.signing.layer_versions import found_layer, published
from tests.local_endpoint import client
from tests.signing.place import TARGET, Site, make_bucket, make_profile
from tests.signing.zips import zip_bytes


@pytest.fixture
def site(local_aws: Endpoint, tmp_path: Path) -> Site:
    make_bucket()
    make_profile()
    return Site(local_aws, tmp_path)


@pytest.fixture
def signed(site: Site) -> SignedArtifact:
    return site.run(site.unsigned("tools", zip_bytes({"python/tools.py": b"ONE = 1\n"}))).signed[0]


def publish(site: Site, signed: SignedArtifact, **words: Any) -> str:
    slept: list[float] = []
    return published(site.connect(TARGET), signed, name="tools", sleep=slept.append, **words).arn


def versions(site: Site) -> list[int]:
    return [one.number for one in list_layer_versions(site.connect(TARGET), "tools")]


def test_a_version_says_all_that_it_is_given_and_is_found_again(site: Site, signed: SignedArtifact) -> None:
    words: dict[str, Any] = {"runtimes": ("python3.13",), "architectures": ("arm64",), "licence": "MIT", "about": "copy of a friend's"}
    arn = publish(site, signed, **words)
    assert publish(site, signed, **words) == arn
    assert versions(site) == [1]
    told = client("lambda").get_layer_version_by_arn(Arn=arn)
    assert told["Content"]["SigningJobArn"] == signed.job
    assert (told["CompatibleRuntimes"], told["CompatibleArchitectures"], told["LicenseInfo"]) == (["python3.13"], ["arm64"], "MIT")
    assert told["Description"] == f"shipsafe sha256:{signed.sha256}; copy of a friend's"


@pytest.mark.parametrize("kind", ["error", "reset"])
def test_a_lost_answer_makes_no_second_version(site: Site, signed: SignedArtifact, kind: str) -> None:
    """botocore would make the call again by itself."""
    site.endpoint.faults.add(Fault(service="lambda", operation="PublishLayerVersion", kind=kind, when="after"))
    publish(site, signed)
    assert versions(site) == [1]


def test_what_lambda_is_too_busy_for_is_tried_again(site: Site, signed: SignedArtifact) -> None:
    site.endpoint.faults.add(Fault(service="lambda", operation="PublishLayerVersion", times=2, code="TooManyRequestsException", status=429))
    publish(site, signed)
    assert versions(site) == [1]


def test_a_refusal_is_told_at_once(site: Site, signed: SignedArtifact) -> None:
    site.endpoint.faults.add(Fault(service="lambda", operation="PublishLayerVersion", times=0, code="AccessDeniedException", status=403))
    with pytest.raises(AwsRefusal, match="publish a version of layer tools"):
        publish(site, signed)
    assert versions(site) == []


def test_it_ends_when_no_answer_comes(site: Site, signed: SignedArtifact) -> None:
    site.endpoint.faults.add(Fault(service="lambda", operation="PublishLayerVersion", times=0))
    with pytest.raises(IncompleteError):
        publish(site, signed)


def test_a_version_that_only_says_so_is_not_ours(site: Site, signed: SignedArtifact) -> None:
    """Whoever may publish may write our mark into a description."""
    other = zip_bytes({"python/evil.py": b"EVIL = 1\n"})
    client("lambda").publish_layer_version(LayerName="tools", Description=f"shipsafe sha256:{signed.sha256}", Content={"ZipFile": other})
    assert found_layer(site.connect(TARGET), signed, "tools") is None
    assert publish(site, signed).endswith(":2")


def test_a_signature_that_lambda_does_not_see_is_an_error(site: Site, signed: SignedArtifact) -> None:
    with pytest.raises(IntegrityError, match="names another signature"):
        publish(site, replace(signed, job=signed.job[:-1] + ("0" if signed.job[-1] != "0" else "1")))
