"""GitHub Enterprise Server and runners of one's own: no artifacts of GitHub's, no attestations, no `$/`; S3 carries what is handed on."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shipsafe.model.pipeline import HOME
from tests.local_endpoint import REGION, client
from tests.pipeline.aws import BUCKET, AwsSide, aws_side
from tests.pipeline.conftest import GITHUB, Opened
from tests.pipeline.consumer import SHA
from tests.pipeline.project import handler

if TYPE_CHECKING:
    from shipsafe.local.pki import LocalRoot

pytestmark = pytest.mark.registry
PASSED = ("success",)
SKIPPED = ("skipped",)


@pytest.fixture
def aws(tmp_path: Path, local_root: "LocalRoot") -> Iterator[AwsSide]:
    """An account whose roles only this workflow may take, and a place between its jobs."""
    (tmp_path / "aws").mkdir()
    ours = f"{HOME}/.github/workflows/pipeline-ghes.yml@{SHA}"
    transport = f'transport = "s3://{BUCKET}/between-jobs"\n'
    with aws_side(tmp_path / "aws", local_root, github=GITHUB, workflow=ours, pipeline=transport) as side:
        yield side


def test_a_release_without_artifacts_and_attestations_of_github(opened: Opened, aws: AwsSide, four_lines: str) -> None:
    """The same jobs; the runner's own credentials carry what is handed on, and each job that needs a role takes it."""
    caller = four_lines.replace("/pipeline.yml@", "/pipeline-ghes.yml@")
    consumer = opened({"pay/app.py": handler("on our own")}, aws=aws, caller=caller)
    before = aws.running()
    ran = consumer.push(environment={**aws.owner, "AWS_REGION": REGION})
    assert {job: result for job, result in ran.results.items() if result != PASSED} == {"comment": SKIPPED, "approval": SKIPPED}, ran.told()
    assert ran.results["verify"] == PASSED
    assert aws.running() != before
    assert not (consumer.kept / "artifacts").exists()
    assert not (consumer.kept / "attestations").exists()
    assert "sigstore" not in {audience for _, audience in consumer.github.tokens}
    with closing(client("s3", endpoint_url=aws.endpoint.url)) as s3:
        names = {one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix="between-jobs/acme/orders/")["Contents"]}
    for handed in ("reports", "built", "attested", "signed", "deployed"):
        assert any(f"-{handed}/1/" in name for name in names), names
    assert any("-share-" in name for name in names), names
