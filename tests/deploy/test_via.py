"""What was signed is handed to the tool that functions belong to: nothing is run, and what lands is verified."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.aws.session import open_aws
from shipsafe.deploy.managed import Via
from shipsafe.flows.deploy_record import deployments_of
from shipsafe.flows.landed import landed, look_around
from shipsafe.flows.rewrite import Rewritten
from shipsafe.flows.via import Handing, ViaRequest, hand_over
from shipsafe.model.attestation import AttestPolicy
from shipsafe.model.deployment import Ending
from shipsafe.model.project import Project
from shipsafe.packing.release import read_release
from shipsafe.verify.bundles import envelopes_of
from tests.deploy.scene import Scene
from tests.deploy.stack_shop import STAGE
from tests.end_to_end.program import Ended
from tests.iam.rights import Recorder, grants
from tests.local_endpoint import ACCOUNT, REGION
from tests.tampering.world import shipsafe

NAMES = {"Pay": "pay-prod", "Stock": "stock-prod"}
SIGNED = "template.signed.yaml"


def deploy(shop: Scene, *words: str) -> Ended:
    return shipsafe("deploy", *words, "--yes", "--offline-advisories", cwd=shop.desk.project)


@pytest.fixture
def stack(shop: Scene) -> Scene:
    """Two functions of a stack, which run something older."""
    for name in NAMES.values():
        shop.function(name)
        shop.endpoint.functions.manage(ACCOUNT, REGION, name, stack="shop")
    return shop


def place(shop: Scene, artifact: str) -> dict[str, str]:
    it = shop.all_signed[artifact].object
    return {"S3Bucket": it.bucket, "S3Key": it.key, "S3ObjectVersion": it.version}


def stack_deploys(shop: Scene, *artifacts: str) -> None:
    """As CloudFormation would, from the rewritten template."""
    layer = shop.lambda_.publish_layer_version(LayerName="Common", Content=place(shop, "Common"))["LayerVersionArn"]
    for artifact in artifacts:
        name = NAMES[artifact]
        if artifact == "Pay":
            shop.lambda_.update_function_configuration(FunctionName=name, Layers=[layer])
        shop.lambda_.update_function_code(FunctionName=name, **place(shop, artifact))
        version = shop.lambda_.publish_version(FunctionName=name)["Version"]
        shop.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)


def records(shop: Scene, artifact: str) -> list[Any]:
    release = read_release(shop.desk.dist)
    (one,) = [one for one in release.artifacts if one.name == artifact]
    return list(deployments_of(envelopes_of(one), AttestPolicy(), shown="x"))


def test_a_function_of_a_stack_is_handed_over_by_default(stack: Scene) -> None:
    """A direct deployment would be reverted by the stack's next update."""
    stack.add(STAGE)
    before = stack.tags("pay-prod")
    done = deploy(stack)
    assert done.code == 0, done.out + done.err
    assert "CloudFormation stack shop manages it." in done.out
    assert "With --stage prod CloudFormation changes it." in done.out
    assert f"sam deploy --template-file {SIGNED} --stack-name shop --region {REGION} --capabilities CAPABILITY_IAM" in done.out
    assert "shipsafe deploy dist --via sam --landed" in done.out
    written = (stack.desk.project / SIGNED).read_text()
    assert all(one.object.version in written for one in stack.all_signed.values())
    assert (stack.alias("pay-prod"), stack.versions("pay-prod"), stack.tags("pay-prod")) == (("1", {}), ["1"], before)
    assert records(stack, "Pay") == [], "nobody has run it yet"


def test_what_has_not_landed_is_said_and_is_no_pass(stack: Scene) -> None:
    done = deploy(stack, "--via", "sam", "--landed")
    assert done.code == 4, done.out + done.err
    assert "pay-prod:live does not run this release yet" in done.out
    assert not (stack.desk.project / SIGNED).exists()
    stack_deploys(stack, "Pay")
    done = deploy(stack, "--via", "sam", "--landed")
    assert done.code == 4
    assert "stock-prod:live does not run this release yet" in done.out
    assert [one.ending for one in records(stack, "Pay")] == [Ending.HANDED_OVER]
    assert records(stack, "Stock") == []


def test_a_second_call_verifies_what_has_landed_and_writes_it_down_once(stack: Scene) -> None:
    assert deploy(stack).code == 0
    stack_deploys(stack, "Pay", "Stock")
    for _ in range(2):
        done = deploy(stack)
        assert done.code == 0, done.out + done.err
        assert "Run:" not in done.out
    (pay,), (stock,) = records(stack, "Pay"), records(stack, "Stock")
    assert (pay.function, pay.alias, pay.version, pay.ran) == ("pay-prod", "live", "2", True)
    assert stock.function == "stock-prod"


def test_it_asks_for_nothing_that_verify_may_not(stack: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rights of whoever only looks are enough."""
    stack_deploys(stack, "Pay", "Stock")
    recorder = Recorder()
    monkeypatch.setattr(stack, "connect", partial(open_aws, record=recorder))
    with stack.case() as case:
        asked = ViaRequest(template=stack.desk.project / "template.yaml")
        standing = look_around(case, hand_over(case, asked), None)
        assert [one.landed for one in standing] == [True, True]
        assert landed(case, standing).exit_code == 0
    facts = {"account": ACCOUNT, "region": REGION, "partition": "aws"}
    held = grants("verify", facts)
    needs = recorder.needs(facts)
    assert len(needs) > 5
    assert not [need for need in needs if not any(one.allows(need, facts) for one in held)]


def test_an_alias_on_its_way_has_not_landed(stack: Scene) -> None:
    stack_deploys(stack, "Pay", "Stock")
    stack.lambda_.update_alias(
        FunctionName="pay-prod", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {"1": 0.9}}
    )
    done = deploy(stack, "--via", "sam", "--landed")
    assert done.code == 4
    assert "The calls of pay-prod:live go to several versions" in done.out


def test_a_revoked_signature_is_not_handed_over(stack: Scene) -> None:
    stack.site.client("signer").revoke_signature(jobId=stack.all_signed["Stock"].job.rpartition("/")[2], reason="leaked")
    done = deploy(stack, "--via", "sam")
    assert done.code == 5, done.out + done.err
    assert done.out.endswith("LOCAL nothing was deployed. exit 5\n")
    told = json.loads(deploy(stack, "--via", "sam", "--format", "json").out)
    assert (told["exit_code"], told["deployments"]) == (5, [])
    assert any("was revoked" in one for one in told["remarks"])
    assert not (stack.desk.project / SIGNED).exists()


def test_a_template_that_says_something_else_by_now_is_refused(stack: Scene) -> None:
    path = stack.desk.project / "template.yaml"
    path.write_text(path.read_text().replace("Handler: app.handler, CodeUri: stock/", "Handler: app.other, CodeUri: stock/"))
    done = deploy(stack, "--via", "sam")
    assert done.code == 5, done.out + done.err
    assert "as its handler: app.handler" in done.err


def test_what_cannot_be_meant_is_refused(stack: Scene) -> None:
    for words, said in (
        (("--via", "terraform"), "This is for sam, and not for terraform."),
        (("--via", "cdk"), "This is for sam, and not for cdk."),
        (("--template", "template.yaml"), "belong to --via"),
        (("--via", "sam", "--function", "Pay"), "Another tool deploys what its template describes."),
        (("--via", "sam", "--template", "nowhere.yaml"), "There is no such folder or file."),
        (("--via", "pulumi"), "pulumi"),
        (("--function", "Pay"), "is not deployed behind the back of its manager"),
        (("--atomic",), "is not deployed behind the back of its manager"),
    ):
        done = deploy(stack, *words)
        assert done.code == 2, done.out + done.err
        assert said in done.err


def test_the_folder_of_the_project_may_lie_elsewhere(stack: Scene, tmp_path: Path) -> None:
    """As where a job has the policy from one checkout and the template from another."""
    there = tmp_path / "checkout"
    shutil.copytree(stack.desk.project, there, ignore=shutil.ignore_patterns("dist", ".*"))
    (stack.desk.project / "template.yaml").unlink()
    done = deploy(stack, "--via", "sam", "--template", str(there))
    assert done.code == 0, done.out + done.err
    assert (there / SIGNED).exists()
    (there / "template.yaml").unlink()
    done = deploy(stack, "--via", "sam", "--template", str(there))
    assert done.code == 2
    assert "The template of the release, template.yaml, is not here." in done.err


def test_without_its_template_a_managed_function_is_refused(stack: Scene) -> None:
    (stack.desk.project / "template.yaml").unlink()
    done = deploy(stack)
    assert done.code == 2, done.out + done.err
    assert "is not deployed behind the back of its manager" in done.err
    assert "The template of the release, template.yaml, is not here." in done.err
    assert stack.alias("pay-prod") == ("1", {})


def test_a_dry_run_writes_nothing(stack: Scene) -> None:
    done = shipsafe("deploy", "--via", "cloudformation", "--dry-run", "--offline-advisories", cwd=stack.desk.project)
    assert done.code == 0, done.out + done.err
    assert f"  writes {SIGNED}" in done.out
    assert not (stack.desk.project / SIGNED).exists()


def handing(folder: Path, via: Via, source: str, written: str, **overrides: str) -> Handing:
    project = Project(root=folder, template=source, parameters={**overrides, "Hidden": None, "AWS::Region": REGION})
    return Handing(via=via, source=folder / source, written=folder / written, project=project, rewritten=Rewritten())


def test_each_tool_gets_its_own_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "template.yaml").write_text("Resources: {}")
    sam = handing(tmp_path, Via.SAM, "template.yaml", "my template.yaml", Stage="a b")
    rest = """--capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --parameter-overrides 'Stage="a b"'"""
    assert sam.commands(region=REGION, stack=None) == (
        f"sam deploy --template-file 'my template.yaml' --stack-name STACK --region {REGION} {rest}",
    )
    (tmp_path / "samconfig.toml").write_text("")
    assert handing(tmp_path, Via.SAM, "template.yaml", SIGNED).commands(region=REGION, stack=None) == (
        f"sam deploy --template-file {SIGNED} --region {REGION}",
    )
    rest = "--capabilities CAPABILITY_IAM --parameter-overrides 'Stage=a b'"
    assert handing(tmp_path, Via.CLOUDFORMATION, "template.yaml", SIGNED, Stage="a b").commands(region=REGION, stack="shop") == (
        f"aws cloudformation deploy --template-file {SIGNED} --stack-name shop --region {REGION} {rest}",
    )
    assert handing(tmp_path, Via.CDK, "cdk.out", "cdk.out.signed", Stage="x").commands(region=REGION, stack="shop") == (
        "cdk deploy --app cdk.out.signed --all --parameters Stage=x",
    )
    assert handing(tmp_path, Via.TERRAFORM, "plan.json", "shipsafe.auto.tfvars.json").commands(region=REGION, stack=None) == (
        "terraform plan -out=tfplan", "terraform apply tfplan",
    )  # fmt: skip
    elsewhere = handing(tmp_path, Via.TERRAFORM, "infra/plan.json", "x.tfvars.json").commands(region=REGION, stack=None)
    assert elsewhere == (
        f"terraform -chdir=infra plan -out=tfplan -var-file={tmp_path.resolve()}/x.tfvars.json", "terraform -chdir=infra apply tfplan",
    )  # fmt: skip
