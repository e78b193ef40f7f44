"""A release that somebody answers for goes live where it is said again, is recorded as that, and nobody takes it for one that passed."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shipsafe.errors import ConfigError, ExitCode, IntegrityError
from shipsafe.flows.deploy import deployed, deploying, planned
from shipsafe.flows.deploy_record import deployments_of
from shipsafe.model.attestation import Predicate
from shipsafe.model.deployment import Ending
from shipsafe.model.verdict import Decision
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.release import laid_bundle, read_release, record_signatures
from shipsafe.verify import verify_functions
from shipsafe.verify.bundles import envelopes_of
from tests.flows.emergency import ASKED, ON_CALL, Shop, overridden, read
from tests.verify.desk import BUILDER, SIGNER, TARGET, Desk, only

if TYPE_CHECKING:
    from shipsafe.evidence.deployment_record import DeploymentSaid
    from shipsafe.local.endpoint import Endpoint
    from shipsafe.local.pki import LocalRoot
    from tests.deploy.scene import Scene

LIVE = '\n[deploy]\nalias = "live"\n'


@pytest.fixture(scope="module")
def burning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release under an override that was made today."""
    trusted = BUILDER.table("builder") + ON_CALL.table("overrider") + SIGNER.table("signer")
    return overridden(tmp_path_factory.mktemp("burning"), TARGET + trusted + LIVE, builder=BUILDER, now=lambda: datetime.now(UTC)).root


@pytest.fixture
def scene(burning: Path, local_root: "LocalRoot", local_aws: "Endpoint", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Scene":
    """A copy of it, signed, and a function for each of its zips."""
    from tests.deploy.scene import make_scene  # noqa: PLC0415 - boto3 and the endpoint, for tests that use them

    shutil.copytree(burning, tmp_path / "project")
    monkeypatch.setenv("SHIPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    made = make_scene(Desk(project=tmp_path / "project", root=local_root), local_aws, tmp_path)
    made.function("Pay")
    made.function("Stock")
    return made


def recorded(scene: "Scene", name: str = "Pay") -> "list[DeploymentSaid]":
    artifact = next(one for one in read_release(scene.desk.dist).artifacts if one.name == name)
    return list(deployments_of(envelopes_of(artifact), Shop(scene.desk.project).policy().attest, shown="test"))


def test_nobody_deploys_it_without_saying_so(scene: "Scene") -> None:
    for asked, said in ((None, "did not pass its gates"), (replace(ASKED, reason="because"), "another reason")):
        with pytest.raises(ConfigError, match=said):
            scene.plan(break_glass=asked)
    assert (scene.alias(), scene.tags()) == (("1", {}), {})


def test_it_goes_live_is_recorded_as_that_and_every_later_look_says_so(scene: "Scene") -> None:
    done = scene.deploy(break_glass=ASKED)
    assert done.exit_code is ExitCode.PASS
    assert {(one.ending, one.overridden) for one in done.deployments} == {(Ending.DEPLOYED, True)}
    assert set(done.verdicts.values()) == {"OVERRIDDEN"}
    assert any(line.startswith("Overridden by jo@acme.example") for line in done.remarks), "which the step summary tells"
    (said,) = recorded(scene)
    assert said.override is not None
    assert (said.override["reason"], said.ran) == (ASKED.reason, True)
    found = verify_functions(["Pay:live"], scene.desk.request(now=datetime.now(UTC), local_root=scene.endpoint.fingerprint,
                             release=scene.desk.dist), scene.connect)  # fmt: skip
    verdict = next(one for one in only(found).links if one.id == "verdict")
    assert (found.exit_code, verdict.sentence.startswith("OVERRIDDEN, and not passed.")) == (ExitCode.FINDINGS, True)
    state = next(one for one in only(found).links if one.id == "state")
    assert any(
        note.startswith("It was deployed under alias live at ") and note.endswith("of which nobody vouches.") for note in state.notes
    )
    assert 'It went live under an override: "The shop is down".' in state.notes

    again = scene.deploy(break_glass=ASKED)
    assert (again.exit_code, {one.ending for one in again.deployments}) == (ExitCode.PASS, {Ending.UNCHANGED})
    assert len(recorded(scene)) == 1, "nothing was changed, and that it runs is recorded"


def test_a_record_that_was_lost_is_written_by_the_next_run(scene: "Scene") -> None:
    """The process was killed between the last change and the record."""
    scene.deploy(break_glass=ASKED)
    with output_lock(scene.desk.dist, on_wait=lambda: None):
        output, release = Output(scene.desk.dist), read_release(scene.desk.dist)
        pay = next(one for one in release.artifacts if one.name == "Pay")
        lines = [one.line for one in envelopes_of(pay) if read(one).kind != Predicate.DEPLOYMENT]
        record_signatures(output, release, (), None, {"Pay": laid_bundle(output, "Pay", b"".join(line + b"\n" for line in lines))})
    assert recorded(scene) == []
    assert {one.ending for one in scene.deploy(break_glass=ASKED).deployments} == {Ending.UNCHANGED}
    assert [one.ending for one in recorded(scene)] == [Ending.UNCHANGED]
    assert len(recorded(scene, "Stock")) == 1


def test_it_ends_while_somebody_looks_at_the_plan(scene: "Scene") -> None:
    with deploying(scene.request(break_glass=ASKED), scene.lines.append, connect=scene.connect, sleep=scene.sleep) as case:
        plan = planned(case)
        with pytest.raises(IntegrityError, match="lets nothing through any more"):
            deployed(replace(case, now=lambda: datetime.now(UTC) + timedelta(hours=25)), plan, scene.lines.append)
    assert scene.alias() == ("1", {})


def test_integrity_is_never_overridden(scene: "Scene") -> None:
    """A configuration that only warns, and a zip that is another one: both end with 5, whoever answers."""
    told = scene.lambda_.get_function_code_signing_config(FunctionName="Pay")["CodeSigningConfigArn"]
    scene.lambda_.update_code_signing_config(CodeSigningConfigArn=told, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    assert scene.plan(break_glass=ASKED).exit_code is ExitCode.INTEGRITY
    scene.lambda_.update_code_signing_config(CodeSigningConfigArn=told, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    assert scene.plan(break_glass=ASKED).exit_code is ExitCode.PASS
    job = scene.signed.job.rpartition("/")[2]
    scene.site.client("signer").revoke_signature(jobId=job, reason="leaked")
    assert scene.plan(break_glass=ASKED).exit_code is ExitCode.INTEGRITY
    assert scene.alias() == ("1", {})


def test_the_same_bytes_built_clean_take_its_place(scene: "Scene") -> None:
    """The morning after: the finding is waived, the bytes are the same, nothing has to be deployed, and verify holds."""
    from tests.deploy.scene import signed_bundle  # noqa: PLC0415 - boto3 and the endpoint, for tests that use them

    scene.deploy(break_glass=ASKED)
    owner = 'reason = "Nobody reaches it."\nowner = "jo"\nexpires = 2099-12-31\n'
    scene.add(f'[[waivers]]\nrule = "lint/B602"\nsubject = "function:Pay"\n{owner}')
    before = read_release(scene.desk.dist)
    record = Shop(scene.desk.project).build(BUILDER, asked=None, now=lambda: datetime.now(UTC))
    assert record.verdict.decision is Decision.PASS
    with output_lock(scene.desk.dist, on_wait=lambda: None):  # as `sign` does where it finds that all of it is signed
        output, release = Output(scene.desk.dist), read_release(scene.desk.dist)
        assert [one.sha256 for one in release.artifacts] == [one.sha256 for one in before.artifacts]
        bundles = {name: laid_bundle(output, name, signed_bundle(scene.desk, one)) for name, one in scene.all_signed.items()}
        record_signatures(output, release, tuple(scene.all_signed.values()), None, bundles)
    done = scene.deploy()
    assert {(one.ending, one.overridden) for one in done.deployments} == {(Ending.UNCHANGED, False)}
    assert (done.exit_code, set(done.verdicts.values())) == (ExitCode.PASS, {"PASS"})
    (said,) = recorded(scene)
    assert said.override is None
