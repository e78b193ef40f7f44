"""The same release from stage to stage, as the command does it: the second takes what the first has run."""

from shipsafe.evidence.file_signer import FileSigner
from tests.deploy.scene import Scene, only, wrong
from tests.evidence.speakers import key
from tests.tampering.envelopes import Key
from tests.tampering.world import shipsafe

DEPLOYER = Key("deploys", key("deployer"))

STAGES = """
[deploy]
alias = "live"
[[deploy.stage]]
name = "dev"
target = "prod"
[[deploy.stage]]
name = "prod"
target = "prod"
after = "dev"
"""


def test_prod_takes_what_dev_has_run(scene: Scene) -> None:
    scene.function()
    scene.add(STAGES + DEPLOYER.table("deployer"))
    keys = (FileSigner(DEPLOYER.private),)
    plan = scene.plan(stage="prod", signers=keys)
    assert plan.exit_code == 4
    (found,) = [said for said in wrong(plan) if said[2] == "promotion"]
    assert found[:2] == ("function:Pay", "unanswered")
    key_file = DEPLOYER.write(scene.desk.project.parent)
    done = shipsafe("deploy", "--stage", "prod", "--yes", "--offline-advisories", "--key", key_file, cwd=scene.desk.project)
    assert done.code == 4, done.out + done.err
    assert "No record that counts says that stage dev has run this Pay" in done.out
    assert scene.alias() == ("1", {})
    assert only(scene.deploy(stage="dev", signers=keys)).version == "2"
    plan = scene.plan(stage="prod", signers=keys)
    assert plan.exit_code == 0, wrong(plan)
    assert scene.deploy(stage="prod", signers=keys).exit_code == 0


def test_a_record_that_nobody_signed_promotes_nothing_where_others_are_trusted(scene: Scene) -> None:
    """Whoever can write into the folder could say it."""
    scene.function()
    scene.add(STAGES)
    assert only(scene.deploy(stage="dev")).version == "2"
    plan = scene.plan(stage="prod")
    (found,) = [said for said in wrong(plan) if said[2] == "promotion"]
    assert (int(plan.exit_code), "trusts nobody to say what stage dev has run" in found[3]) == (4, True)


def test_who_is_told_to_skip_it_says_so_and_skips_nothing_else(scene: Scene) -> None:
    scene.function()
    scene.add(STAGES)
    assert scene.plan(stage="prod", skip_stages=True).exit_code == 0
    assert [line for line in scene.lines if "--unsafe-skip-stages" in line]
    scene.lambda_.delete_function_code_signing_config(FunctionName="Pay")
    assert scene.plan(stage="prod", skip_stages=True).exit_code == 5


def test_a_stage_that_is_not_there_is_refused(scene: Scene) -> None:
    scene.add(STAGES)
    for words, said in (
        (("--stage", "qa"), "There are: dev, prod."),
        (("--stage", "dev", "--target", "prod"), "A stage names its target."),
    ):
        done = shipsafe("deploy", *words, "--yes", "--offline-advisories", cwd=scene.desk.project)
        assert done.code == 2, done.out + done.err
        assert said in done.err
