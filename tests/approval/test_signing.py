"""What `sign` does with approvals, as a user runs it on GitHub, against the local endpoint; and what `verify` makes of its evidence."""

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from shipsafe.local.endpoint import Endpoint
from tests.approval.conftest import TOKEN
from tests.approval.loopback import Api
from tests.approval.pulls import tell
from tests.approval.repositories import ASKS, commit, git, waiver
from tests.end_to_end.program import Ended, shipsafe
from tests.end_to_end.signing_with_keys import bundle, jobs, manifest, project, stated
from tests.end_to_end.test_sign import BUCKET, POLICY
from tests.local_endpoint import client, local_aws, local_root  # noqa: F401 - fixtures

__all__ = ["project"]  # a fixture


@pytest.fixture
def env(tmp_path: Path, api: Api, local_aws: Endpoint) -> dict[str, str]:  # noqa: F811, ARG001 - fixtures, which set the environment
    """A job of GitHub's, on the local endpoint with bucket and profile."""
    with closing(client("s3")) as s3, closing(client("signer")) as signer:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        signer.put_signing_profile(profileName="pay_dev", platformId="AWSLambda-SHA384-ECDSA")
    aws = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SHIPSAFE_LOCAL"))}
    job = {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": api.url, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/orders"}
    return {"SHIPSAFE_CACHE_DIR": str(tmp_path / "cache"), **aws, **job}


def test_nothing_is_signed_before_somebody_approved_and_the_evidence_says_who(project: Path, env: dict[str, str], api: Api) -> None:
    def run(*words: str) -> Ended:
        done = shipsafe(*words, cwd=project, env=env)
        assert TOKEN not in done.out + done.err
        return done

    git(project, "init", "-q", "-b", "main")
    head = commit(project, {"shipsafe.toml": f"{POLICY}\n{ASKS}{waiver('lint/B105', '*')}", ".gitignore": "dist/\n"})
    assert run("build").code == 0

    unasked = run("sign", "--yes")
    assert unasked.code == 4
    assert "Nobody says who approved what the policy waives" in unasked.out
    assert jobs() == 0

    tell(api, head, reviews=[])
    assert run("policy", "approvals", "--out", "approvals.json").code == 1
    refused = run("sign", "--yes", "--approvals", "approvals.json", "--report", "json=sign.json", "--report", "markdown=sign.md")
    assert refused.code == 4
    assert "nobody but its author has approved #12 by ann" in refused.out
    assert jobs() == 0
    verdict = json.loads((project / "sign.json").read_text())["verdict"]
    assert verdict["decision"] == "INCOMPLETE"
    assert [(one["gate"], one["subject"]) for one in verdict["unanswered"]] == [("approvals", "project")]
    assert "nobody but its author has approved" in (project / "sign.md").read_text()

    api.always.clear()
    tell(api, head)
    assert run("policy", "approvals", "--out", "approvals.json").code == 0
    done = run("sign", "--yes", "--approvals", (project / "approvals.json").read_text(), "--report", "sarif=sign.sarif")
    assert done.code == 0, done.out + done.err
    gates = next(stated(one)["predicate"] for one in bundle(project) if stated(one)["predicate"].get("askedBy") == "signer")
    told = next(one for one in gates["outcomes"] if one["gate"] == "approvals")
    assert (told["state"], told["evidence"]["commit"], told["evidence"]["repository"]) == ("answered", head, "acme/orders")
    assert told["notes"] == ["lint/B105 for * (waiver in shipsafe.toml): #12 by ann, approved by bob"]
    assert manifest(project)["signing"]["gates"]["project"] == {"approvals": "answered"}
    verified = run("verify", "dist")
    assert verified.code == 0, verified.out + verified.err
