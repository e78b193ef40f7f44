"""A release goes live all at once: the plan says what will be done, and made again it is empty."""

import pytest

from shipsafe.errors import ConfigError
from shipsafe.flows.deploy_record import deployments_of
from shipsafe.model.attestation import AttestPolicy
from shipsafe.model.deployment import Ending
from shipsafe.verify.bundles import envelopes_of
from tests.deploy.scene import Scene, only
from tests.verify.live_world import ROLE


def test_a_signed_release_goes_live_under_its_alias(scene: Scene) -> None:
    """Code by its exact version, a published version, the alias, and a look at all of it."""
    scene.function()
    scene.add('[deploy]\nalias = "live"')
    done = scene.deploy()
    one = only(done)
    assert (one.ending, one.version, one.before, done.exit_code) == (Ending.DEPLOYED, "2", "1", 0), one
    assert scene.alias() == ("2", {})
    told = scene.lambda_.get_function_configuration(FunctionName="Pay", Qualifier="live")
    assert (told["CodeSha256"], told["SigningJobArn"]) == (scene.signed.code_sha256, scene.signed.job)
    assert done.verdicts == {f"{one.account}/{one.region}/Pay": "PASS"}


def test_a_plan_made_after_it_was_carried_out_is_empty(scene: Scene) -> None:
    """And nothing is changed by a second run, which verifies all the same."""
    scene.function()
    scene.add('[deploy]\nalias = "live"')
    first = scene.plan()
    assert [step.api for place in first.places for one in place.functions for step in one.steps] == [
        "lambda:TagResource", "lambda:UpdateFunctionCode", "lambda:PublishVersion", "lambda:UpdateAlias",
    ]  # fmt: skip
    scene.deploy()
    second = scene.plan()
    assert not second.changes
    assert [one.steps for place in second.places for one in place.functions] == [()]
    again = scene.deploy()
    assert (only(again).ending, again.exit_code) == (Ending.UNCHANGED, 0)
    assert scene.versions() == ["1", "2"]


def test_a_function_without_an_alias_gets_the_code_itself(scene: Scene) -> None:
    """And a version of it, which never changes. Whoever is asked hears who gets that code at once."""
    scene.function(alias="")
    scene.lambda_.add_permission(
        FunctionName="Pay", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::orders"
    )
    scene.lambda_.create_function_url_config(FunctionName="Pay", AuthType="AWS_IAM")
    done = scene.deploy()
    assert done.remarks[0].endswith("Callers: s3.amazonaws.com (arn:aws:s3:::orders); its URL (AWS_IAM)."), done.remarks
    assert (only(done).ending, only(done).alias, only(done).version, done.exit_code) == (Ending.DEPLOYED, "", "2", 0), only(done)
    assert scene.lambda_.get_function_configuration(FunctionName="Pay")["CodeSha256"] == scene.signed.code_sha256


def test_settings_that_the_release_says_are_set_and_others_stay(scene: Scene) -> None:
    scene.function(Runtime="python3.12", Handler="old.main", MemorySize=512, Environment={"Variables": {"TABLE": "orders"}})
    scene.add('[deploy]\nalias = "live"')
    assert scene.deploy().exit_code == 0
    told = scene.lambda_.get_function_configuration(FunctionName="Pay", Qualifier="live")
    assert (told["Runtime"], told["Handler"], told["MemorySize"]) == ("python3.13", "app.handler", 512)
    assert told["Environment"] == {"Variables": {"TABLE": "orders"}}


def test_a_function_is_made_with_create_and_a_role(scene: Scene) -> None:
    """With its code-signing configuration, its alias, and marks from the first moment on."""
    scene.add('[deploy]\nalias = "live"')
    with pytest.raises(ConfigError, match=r"Nobody says what Pay is called.*--create"):
        scene.plan()
    with pytest.raises(ConfigError, match="with which role Pay is to run"):
        scene.plan(create=True)
    done = scene.deploy(create=True, role=ROLE)
    assert (only(done).ending, only(done).version, done.exit_code) == (Ending.DEPLOYED, "1", 0), only(done)
    assert scene.alias() == ("1", {})
    told = scene.lambda_.get_function_code_signing_config(FunctionName="Pay")
    assert told["CodeSigningConfigArn"] == scene.configuration
    assert scene.deploy(create=True, role=ROLE).deployments[0].ending is Ending.UNCHANGED


def test_a_name_of_the_policy_is_what_the_function_is_called(scene: Scene) -> None:
    scene.function("pay-prod")
    scene.add('[[deploy.function]]\nfunction = "Pay"\nname = "pay-prod"\nalias = "live"')
    assert (only(scene.deploy()).function, scene.alias("pay-prod")) == ("pay-prod", ("2", {}))


def test_what_went_live_is_stated_in_the_bundle(scene: Scene) -> None:
    scene.function()
    scene.add('[deploy]\nalias = "live"')
    done = scene.deploy()
    said = list(deployments_of(envelopes_of(done.release.artifacts[0]), AttestPolicy(), shown="test"))
    assert [(one.function, one.alias, one.version, one.before, one.ending) for one in said] == [("Pay", "live", "2", "1", "deployed")]


def test_a_record_that_was_not_kept_is_kept_by_the_next_run(scene: Scene) -> None:
    """The process was killed, or the store was away, between the bundle and the store: who promotes or goes back looks into the store."""
    scene.function()
    scene.remember(scene.older)
    assert only(scene.deploy()).ending is Ending.DEPLOYED
    kept = sorted((scene.desk.project / "kept").rglob("deployment-*"))
    contents = [one.read_bytes() for one in kept]
    assert kept
    for one in kept:
        one.unlink()
    bundle = (scene.desk.dist / "Pay.intoto.jsonl").read_bytes()
    assert only(scene.deploy()).ending is Ending.UNCHANGED
    assert [one.read_bytes() for one in sorted((scene.desk.project / "kept").rglob("deployment-*"))] == contents
    assert (scene.desk.dist / "Pay.intoto.jsonl").read_bytes() == bundle, "one record is enough"
