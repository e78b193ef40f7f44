"""What has to hold before anything is changed: what does not is refused, with its code, and Lambda was asked to change nothing."""

import pytest

from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene, only, wrong
from tests.verify.live_world import ROLE, make_configuration

LIVE = '[deploy]\nalias = "live"'


def refused(scene: Scene, **words: object) -> tuple[int, set[str]]:
    """The exit code, and the links that do not hold; nothing was changed."""
    before = scene.lambda_.get_function_configuration(FunctionName="Pay")["RevisionId"]
    plan = scene.plan(**words)
    assert scene.lambda_.get_function_configuration(FunctionName="Pay")["RevisionId"] == before
    assert not [name for name in scene.tags() if name.startswith("shipsafe:deploy")]
    return int(plan.exit_code), {link for _, _, link, _ in wrong(plan)}


def test_a_configuration_that_only_warns_is_refused_unless_the_policy_wants_it(scene: Scene) -> None:
    scene.function(CodeSigningConfigArn=make_configuration([scene.profile], "Warn"))
    scene.add(LIVE)
    assert refused(scene) == (5, {"code-signing-config"})
    scene.add('[enforce]\nmode = "warn"')
    assert scene.deploy().exit_code == 0


def test_a_function_without_a_configuration_is_refused(scene: Scene) -> None:
    scene.function()
    scene.lambda_.delete_function_code_signing_config(FunctionName="Pay")
    scene.add(LIVE)
    assert refused(scene) == (5, {"code-signing-config"})


def test_a_revoked_signature_is_refused(scene: Scene) -> None:
    scene.function()
    scene.add(LIVE)
    job = scene.signed.job.rpartition("/")[2]
    scene.site.client("signer").revoke_signature(jobId=job, reason="leaked")
    assert refused(scene) == (5, {"signing-job", "dry-run"})


def test_a_signature_that_is_revoked_after_the_plan_is_refused_by_lambda_itself(scene: Scene) -> None:
    """It has looked: that is no question that nobody could answer."""
    scene.function()
    scene.add(LIVE)
    job = scene.signed.job.rpartition("/")[2]
    done = scene.deploy(between=lambda: scene.site.client("signer").revoke_signature(jobId=job, reason="leaked"))
    assert (done.exit_code, only(done).ending, scene.alias()) == (5, Ending.REFUSED, ("1", {}))
    assert "Lambda does not take this code" in only(done).reason


def test_a_stopped_function_is_refused(scene: Scene) -> None:
    scene.function()
    scene.add(LIVE)
    arn = scene.lambda_.get_function_configuration(FunctionName="Pay")["FunctionArn"]
    scene.lambda_.tag_resource(Resource=arn, Tags={"shipsafe:stopped": "none", "shipsafe:stopped-for": scene.signed.job})
    assert refused(scene) == (5, {"stopped"})


def test_another_zip_in_the_folder_is_refused(scene: Scene) -> None:
    path = scene.desk.dist / "Pay.zip"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + b"!")
    with pytest.raises(IntegrityError, match="not the file of the release"):
        scene.plan()


def test_a_canary_needs_an_alias(scene: Scene) -> None:
    scene.function(alias="")
    scene.add('[deploy]\nrollout = "canary"')
    with pytest.raises(ConfigError, match="a canary roll-out cannot be"):
        scene.plan()


def test_a_function_of_a_stack_is_not_updated_behind_its_back(scene: Scene) -> None:
    scene.function(Tags={"terraform": "true"})
    scene.add(LIVE)
    with pytest.raises(ConfigError, match="behind the back of its manager"):
        scene.plan()


def test_what_may_not_be_looked_at_is_not_deployed(scene: Scene) -> None:
    scene.function()
    scene.add(LIVE)
    scene.refuse("GetFunctionCodeSigningConfig")
    plan = scene.plan()
    assert (int(plan.exit_code), {link for _, _, link, _ in wrong(plan)}) == (4, {"code-sha256"})


def test_versions_of_two_roles_cannot_share_calls(scene: Scene) -> None:
    """Lambda would refuse it in the middle of the way."""
    scene.function()
    scene.lambda_.update_function_configuration(FunctionName="Pay", Role=f"{ROLE}-2027")
    scene.add(f'{LIVE}\nrollout = "canary"')
    with pytest.raises(ConfigError, match="another execution role"):
        scene.plan()
