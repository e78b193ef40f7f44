"""A release goes live all at once: the plan says what will be done, and made again it is empty."""

from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene, only


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
