"""A stage that names its stack is changed by one change set of CloudFormation, and what runs afterwards is what was signed."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.aws.change_sets import Change
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.flows.deploy_record import deployments_of
from shipsafe.flows.landed import HandedOver
from shipsafe.flows.stack_loss import all_lost
from shipsafe.flows.stack_plan import change_line
from shipsafe.local.faults import Fault
from shipsafe.local.pki import LocalRoot
from shipsafe.model.attestation import AttestPolicy
from shipsafe.model.deployment import Ending
from shipsafe.packing.release import read_release
from shipsafe.reports.deployments import Told, write
from shipsafe.signing.revoke.brake import MEMORY
from shipsafe.verify.bundles import envelopes_of
from tests.deploy.scene import make_scene
from tests.deploy.shop import make_shop
from tests.deploy.stack_shop import STACK, STAGE, TEMPLATE, StackScene, of
from tests.local_endpoint import ACCOUNT, REGION
from tests.tampering.world import shipsafe
from tests.verify.desk import Desk

HOURS = timedelta(hours=8)  # an update that does not end by itself, however long a test takes


@pytest.fixture(scope="session")
def built_stack(tmp_path_factory: pytest.TempPathFactory, local_root: LocalRoot) -> Desk:
    home = tmp_path_factory.mktemp("stack")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPSAFE_CACHE_DIR", str(home / "cache"))
        patch.setenv("SHIPSAFE_CONFIG_DIR", str(home / "config"))
        return make_shop(home, local_root, TEMPLATE)


@pytest.fixture
def scene(built_stack: Desk, emptied: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StackScene]:
    shutil.copytree(built_stack.project, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    shop = make_scene(replace(built_stack, project=tmp_path / "project"), emptied, tmp_path)
    shop.policy.write_text(
        shop.policy.read_text().replace('name = "prod"\n', f'name = "prod"\ncode-signing-config = "{shop.configuration}"\n', 1) + STAGE
    )
    yield StackScene(shop)
    emptied.faults.clear()


def records(scene: StackScene, artifact: str) -> list[Any]:
    [one] = [one for one in read_release(scene.shop.desk.dist).artifacts if one.name == artifact]
    return list(deployments_of(envelopes_of(one), AttestPolicy(), shown="x"))


def test_a_stack_is_made_and_a_second_run_finds_nothing_to_change(scene: StackScene) -> None:
    words = ("deploy", "--stage", "prod", "--yes", "--offline-advisories")
    done = shipsafe(*words, cwd=scene.shop.desk.project)
    assert done.code == 0, done.out + done.err
    assert f"stack {STACK}: created by change set shipsafe-" in done.out
    assert "  adds AWS::Lambda::Function Pay" in done.out
    assert "CAPABILITY_IAM, CAPABILITY_AUTO_EXPAND acknowledged" in done.out
    assert f"{STACK} AWS::CloudFormation::Stack CREATE_COMPLETE" in done.err
    assert {name: scene.code(name) for name in ("Pay", "Stock")} == {n: one.code_sha256 for n, one in scene.shop.all_signed.items()}
    done = shipsafe(*words, cwd=scene.shop.desk.project)
    assert done.code == 0, done.out + done.err
    assert f"stack {STACK}: nothing to change" in done.out
    assert "2 ran it already. exit 0" in done.out
    assert scene.asked("ExecuteChangeSet") == 1
    assert scene.proposed == []
    [record] = records(scene, "Pay")
    assert (record.ending, record.function, record.alias, record.stage) == (Ending.DEPLOYED, scene.physical("Pay"), "live", "prod")


def test_an_older_release_is_replaced_by_an_update(scene: StackScene) -> None:
    scene.older()
    done = scene.deploy()
    assert done.exit_code == 0, done.deployments
    pay = of(done, "Pay")
    assert (pay.ending, pay.before, pay.version, pay.code_sha256) == (Ending.DEPLOYED, "1", "2", scene.code("Pay"))
    assert scene.status == "UPDATE_COMPLETE"
    assert any("UPDATE_COMPLETE" in line for line in scene.shop.lines)
    assert not (scene.shop.desk.project / "template.signed.yaml").exists(), "nothing is left in the project"


def test_a_dry_run_shows_what_would_change_and_deletes_the_change_set(scene: StackScene) -> None:
    scene.older()
    done = shipsafe("deploy", "--stage", "prod", "--dry-run", "--offline-advisories", cwd=scene.shop.desk.project)
    assert done.code == 0, done.out + done.err
    assert "  changes AWS::Lambda::Function Pay: Properties" in done.out
    assert "  adds AWS::Lambda::Version PayVersion" in done.out
    assert "  lets go of AWS::Lambda::Version PayVersion" in done.out
    assert scene.proposed == []
    assert scene.status == "CREATE_COMPLETE"
    assert scene.asked("CreateChangeSet") == 2


def test_what_stays_beside_the_stack_is_not_told_as_removed() -> None:
    gone = Change(action="Remove", logical_id="V1", kind="AWS::Lambda::Version")
    assert change_line(gone) == "REMOVES AWS::Lambda::Version V1"
    assert change_line(replace(gone, retained=True)) == "lets go of AWS::Lambda::Version V1, which stays"
    made = Change(action="Modify", logical_id="T", kind="AWS::SNS::Topic", replacement="True", scope=("Properties",))
    assert change_line(made) == "changes AWS::SNS::Topic T: Properties (REPLACES it)"


def test_a_dry_run_of_a_stack_that_is_not_there_leaves_it_empty_and_the_next_one_makes_it(scene: StackScene) -> None:
    with scene.plan(dry_run=True) as plan:
        assert plan.changes
    assert scene.status == "REVIEW_IN_PROGRESS"
    assert f"Stack {STACK} stays, empty" in scene.shop.lines[-1]
    assert scene.proposed == []
    assert scene.deploy().exit_code == 0


def test_what_fails_is_taken_back_by_cloudformation_and_told_with_the_first_reason(scene: StackScene) -> None:
    scene.older()
    before = scene.code("Pay")
    template = scene.shop.desk.project / "template.yaml"
    text = template.read_text()
    template.write_text(text.replace("CodeUri: stock/,", "CodeUri: stock/, Timeout: 9999,"))
    done = scene.deploy()
    assert done.exit_code == 6, done.deployments
    assert {one.ending for one in done.deployments} == {Ending.ROLLED_BACK}
    assert (
        f"CloudFormation rolled stack {STACK} back (UPDATE_ROLLBACK_COMPLETE). Stock (AWS::Lambda::Function): UPDATE_FAILED"
        in of(done, "Pay").reason
    )
    assert of(done, "Pay").reason.endswith(". Mend what failed, then deploy again.")
    assert ").." not in of(done, "Pay").reason
    told = Told(deployments=done.deployments, verdicts={}, verification=done.verification, exit_code=done.exit_code)
    for form in ("text", "markdown"):
        assert write(told, form).count("CloudFormation rolled") == 1, "what all functions have in common is told once"
    assert (scene.code("Pay"), scene.status) == (before, "UPDATE_ROLLBACK_COMPLETE")
    assert [one.ran for one in records(scene, "Pay")] == [False]
    template.write_text(text)
    assert scene.deploy().exit_code == 0, "the same release may be deployed again"


def test_a_first_deployment_that_fails_leaves_a_stack_to_delete(scene: StackScene) -> None:
    template = scene.shop.desk.project / "template.yaml"
    template.write_text(template.read_text().replace("CodeUri: stock/,", "CodeUri: stock/, Timeout: 9999,"))
    done = scene.deploy()
    assert (done.exit_code, scene.status) == (6, "ROLLBACK_COMPLETE")
    assert f"aws cloudformation delete-stack --stack-name {STACK} --region {REGION}" in of(done, "Pay").reason
    with pytest.raises(IncompleteError, match="takes no update: it is ROLLBACK_COMPLETE"), scene.plan():
        pass


def test_a_stack_that_cannot_be_taken_back_says_what_to_run(scene: StackScene) -> None:
    """What ran before was revoked meanwhile, so that Lambda takes it no more."""
    scene.older()
    job = scene.shop.lambda_.get_function_configuration(FunctionName=scene.physical("Pay"))["SigningJobArn"]
    template = scene.shop.desk.project / "template.yaml"
    template.write_text(template.read_text().replace("CodeUri: stock/,", "CodeUri: stock/, Timeout: 9999,"))
    signer = scene.shop.site.client("signer")
    done = scene.deploy(between=lambda: signer.revoke_signature(jobId=job.rpartition("/")[2], reason="leaked"))
    assert (done.exit_code, scene.status) == (6, "UPDATE_ROLLBACK_FAILED")
    pay, stock = of(done, "Pay"), of(done, "Stock")
    assert stock.ending is Ending.UNFINISHED
    assert f"aws cloudformation continue-update-rollback --stack-name {STACK} --region {REGION}" in pay.reason
    with pytest.raises(IncompleteError, match="takes no update: it is UPDATE_ROLLBACK_FAILED"), scene.plan():
        pass


def test_an_interrupt_leaves_cloudformation_at_work_and_the_next_run_waits_for_it(scene: StackScene) -> None:
    scene.older()
    scene.shop.endpoint.functions.configure({"updating": HOURS.total_seconds()})
    watching: list[bool] = []
    scene.shop.sleep = lambda _seconds: os.kill(os.getpid(), signal.SIGINT) if watching else time.sleep(0.01)
    done = scene.deploy(between=lambda: watching.append(True))
    watching.clear()
    assert done.exit_code == 4
    assert {one.ending for one in done.deployments} == {Ending.UNFINISHED}
    assert f"aws cloudformation describe-stack-events --stack-name {STACK} --region {REGION}" in str(of(done, "Pay").error)
    assert records(scene, "Pay") == []
    with scene.plan() as plan:
        assert plan.proposal.going_on
        assert any("it is waited for" in line for line in plan.lines)
        assert not plan.changes, "nobody is asked"
    scene.shop.endpoint.functions.configure({"updating": 0})
    scene.shop.sleep = lambda _seconds: scene.shop.endpoint.advance(HOURS)  # it ends while it is waited for
    done = scene.deploy()
    assert done.exit_code == 0, done.deployments
    assert scene.asked("ExecuteChangeSet") == 2, "the older one, and one of ours"


def test_an_update_of_somebody_else_is_not_disturbed(scene: StackScene) -> None:
    scene.older()
    scene.shop.endpoint.functions.configure({"updating": HOURS.total_seconds()})
    scene.change(scene.cloudformation.get_template(StackName=STACK)["TemplateBody"].replace("app.handler, ", "app.other, "))
    with pytest.raises(IncompleteError, match="is being changed by somebody else: UPDATE_IN_PROGRESS"), scene.plan():
        pass
    assert scene.asked("CreateChangeSet") == 2


def test_a_change_set_that_somebody_has_put_there_before_is_seen(scene: StackScene) -> None:
    """Its name can be worked out by whoever has the release."""
    scene.older()
    with scene.plan() as plan:
        wanted = plan.request.wanted
    assert scene.proposed == [], "what nobody carried out is deleted"
    scene.propose(wanted.template.replace("STAGE:", "EVIL:"), name=wanted.name)
    with pytest.raises(IntegrityError, match="has another template than it was to have"), scene.plan():
        pass
    scene.cloudformation.delete_change_set(StackName=STACK, ChangeSetName=wanted.name)
    scene.propose(wanted.template, name=wanted.name, parameters={"Stage": "evil"})
    with pytest.raises(IntegrityError, match="has another value of Stage"), scene.plan():
        pass
    assert scene.asked("ExecuteChangeSet") == 1


@pytest.mark.parametrize("hidden", [False, True])
def test_a_run_that_was_killed_left_a_change_set_which_the_next_one_takes(scene: StackScene, *, hidden: bool) -> None:
    """Unless it has a value that nobody is shown: that may be somebody else's."""
    template = scene.shop.desk.project / "template.yaml"
    template.write_text(TEMPLATE if hidden else TEMPLATE.replace("NoEcho: true, ", ""))
    scene.older()
    with scene.plan() as plan:
        assert plan.proposal.change_set is not None
        left, plan.proposal.made = plan.proposal.change_set.id, ""  # as after kill -9: nobody deletes it
    assert scene.deploy().exit_code == 0
    assert (scene.carried_out == left) is not hidden


def test_a_hidden_value_that_somebody_has_put_there_before_is_not_taken(scene: StackScene) -> None:
    scene.older(Password="hidden1")
    with scene.plan() as plan:
        wanted = plan.request.wanted
    scene.propose(wanted.template, name=wanted.name, parameters={"Password": "theirs", "Stage": "dev", "Handler": "app.handler"})
    assert scene.deploy().exit_code == 0
    told = scene.shop.lambda_.get_function_configuration(FunctionName=scene.physical("Stock"))
    assert told["Environment"]["Variables"] == {"KEY": "hidden1"}


@pytest.mark.parametrize("words", [{"parameters": {"Handler": "app.other"}}, {"tags": {"owner": "theirs"}}])
def test_what_nobody_asked_for_and_somebody_has_put_there_before_is_not_taken(scene: StackScene, words: dict[str, Any]) -> None:
    template = scene.shop.desk.project / "template.yaml"
    template.write_text(TEMPLATE.replace("NoEcho: true, ", ""))
    with scene.plan() as plan:
        wanted = plan.request.wanted
        assert "Handler" not in wanted.parameters, "it has its default"
    scene.propose(wanted.template, "CREATE", name=wanted.name, **words)
    assert scene.deploy().exit_code == 0
    [stack] = scene.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    assert stack["Tags"] == []
    assert {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}["Handler"] == "app.handler"
    assert f"Change set {wanted.name} was there before, and is made again." in scene.shop.lines


IMAGE = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/x:1"
INLINE = "{Runtime: python3.13, Handler: index.handler, Role: 'arn:aws:iam::111122223333:role/x', Code: {ZipFile: 'x = 1'}}"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", f"  Evil: {{Type: AWS::Lambda::Function, Properties: {INLINE}}}\n", "Evil takes code that is not of the release"),
        (
            "Conditions: {Never: !Equals [!Ref Password, theirs]}\n",
            f"  Evil: {{Type: AWS::Lambda::Function, Condition: Never, Properties: {INLINE}}}\n",
            "Evil takes code that is not of the release",
        ),
        (
            "",
            f"  Evil: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: 's3://theirs/evil.zip', ImageUri: '{IMAGE}'}}}}\n",
            "Evil takes code that is not of the release",
        ),
        (
            "",
            "  Evil: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: 's3://theirs/evil.zip'}}\n",
            "Evil takes code that is not of the release",
        ),
        (
            "",
            "  Evil: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://s3.amazonaws.com/b/k'}}\n",
            "Evil: its template",
        ),
        ("", "  Evil: {Type: 'Our::Own::Thing::MODULE', Properties: {}}\n", "it is a module"),
        ("", "  'Fn::Transform': {Name: AWS::Include, Parameters: {Location: 's3://theirs/more.yaml'}}\n", "only CloudFormation knows"),
        ("Macros: x\n", "", "Transform: Macros may add or change functions"),
    ],
)
def test_a_template_with_code_that_nobody_signed_is_refused(scene: StackScene, before: str, after: str, said: str) -> None:
    """The release was built from another one: with this, its build would not have passed."""
    text = TEMPLATE + after
    if before.startswith("Macros"):
        text, before = text.replace("Transform: AWS::Serverless-2016-10-31", "Transform: [AWS::Serverless-2016-10-31, Macros]"), ""
    (scene.shop.desk.project / "template.yaml").write_text(before + text)
    with pytest.raises(IntegrityError, match=said), scene.plan():
        pass
    assert scene.asked("CreateChangeSet") == 0


def test_two_machines_that_deploy_the_same_at_once_make_one_update(scene: StackScene) -> None:
    scene.older()
    other = StackScene(scene.shop.twin())
    twins: list[HandedOver] = []
    done = scene.deploy(between=lambda: twins.append(other.deploy()))
    for one in (done, *twins):
        assert one.exit_code == 0, one.deployments
        assert {each.ending for each in one.deployments} == {Ending.DEPLOYED}
    assert scene.asked("ExecuteChangeSet") == 2, "the older one, and one of ours"


@pytest.mark.parametrize("operation", ["CreateChangeSet", "ExecuteChangeSet"])
def test_a_lost_answer_makes_nothing_twice(scene: StackScene, operation: str) -> None:
    scene.older()
    scene.shop.endpoint.faults.add(Fault(service="cloudformation", operation=operation, when="after"))
    done = scene.deploy()
    assert done.exit_code == 0, done.deployments
    assert {one.ending for one in done.deployments} == {Ending.DEPLOYED}
    assert "/shipsafe-" in scene.carried_out


def test_a_stack_that_was_changed_after_the_question_is_not_overwritten(scene: StackScene) -> None:
    scene.older()
    text = scene.cloudformation.get_template(StackName=STACK)["TemplateBody"]
    with pytest.raises(IncompleteError, match="Somebody has changed stack shop since it was looked at"):
        scene.deploy(between=lambda: scene.change(text.replace("STAGE:", "PHASE:")))
    assert scene.deploy().exit_code == 0


def test_values_of_the_stack_count_where_nobody_gives_others(scene: StackScene) -> None:
    scene.older(Stage="prod", Password="hidden1")
    with scene.plan() as plan:
        assert dict(plan.request.wanted.parameters) == {"Stage": "prod", "Handler": "app.handler", "Password": None}
        assert not any("hidden1" in line for line in plan.lines)
    with scene.plan(overrides={"Stage": "x\nfunction Pay: runs it", "Password": "hidden1"}) as plan:
        assert not any("\n" in line for line in plan.lines), "a value makes no line of the plan"
    with scene.plan(overrides={"Stage": "test", "Password": "hidden2"}) as plan:
        assert plan.request.wanted.parameters["Stage"] == "test"
        lines = list(plan.lines)
        assert "  parameter Stage: test, where the stack has prod" in lines
        assert "  parameter Password: as given (hidden)" in lines
    assert scene.deploy().exit_code == 0
    told = scene.shop.lambda_.get_function_configuration(FunctionName=scene.physical("Stock"))
    assert told["Environment"]["Variables"] == {"KEY": "hidden1"}


def test_a_value_of_the_stack_that_changes_what_was_audited_is_refused(scene: StackScene) -> None:
    scene.older(Handler="app.other")
    with pytest.raises(IntegrityError, match="as its handler: app"), scene.plan():
        pass


def test_a_value_that_nobody_is_shown_does_not_decide_what_runs(scene: StackScene) -> None:
    """The template was audited with its default, and the stack may have any."""
    text = TEMPLATE.replace("Resources:", "Conditions: {Theirs: !Equals [!Ref Password, theirs]}\nResources:")
    (scene.shop.desk.project / "template.yaml").write_text(
        text.replace("Handler: app.handler, CodeUri: pay/", "Handler: !If [Theirs, app.other, app.handler], CodeUri: pay/")
    )
    scene.older(Password="theirs")
    with pytest.raises(IntegrityError, match=r"hangs on parameter Password \(condition Theirs\)"), scene.plan():
        pass
    with scene.plan(overrides={"Password": "ours"}) as plan:
        assert plan.verification.exit_code == 0


def test_a_function_that_was_stopped_is_not_deployed(scene: StackScene) -> None:
    scene.older()
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{scene.physical('Stock')}"
    scene.shop.lambda_.tag_resource(Resource=arn, Tags={MEMORY: "5"})
    done = shipsafe("deploy", "--stage", "prod", "--yes", "--offline-advisories", cwd=scene.shop.desk.project)
    assert done.code == 5, done.out + done.err
    assert "was stopped by `shipsafe revoke`" in done.out
    assert done.out.endswith("LOCAL nothing was deployed. exit 5\n")
    report = scene.shop.desk.project / "told.md"
    words = ("--format", "json", "--report", f"markdown={report}")
    done = shipsafe("deploy", "--stage", "prod", "--yes", "--offline-advisories", *words, cwd=scene.shop.desk.project)
    told = json.loads(done.out)
    assert (done.code, told["exit_code"], told["deployments"]) == (5, 5, [])
    assert any("was stopped by `shipsafe revoke`" in one for one in told["remarks"])
    assert "was stopped by" in report.read_text()
    assert scene.asked("CreateChangeSet") == 1


def test_a_configuration_that_lets_others_in_is_no_place_for_it(scene: StackScene) -> None:
    scene.shop.lambda_.update_code_signing_config(
        CodeSigningConfigArn=scene.shop.configuration, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}
    )
    with scene.plan() as plan:
        assert plan.verification.exit_code == 5
        assert plan.proposal.change_set is None
        assert any("does not enforce" in one for one in plan.verification.complaints)


def test_without_any_configuration_nothing_is_deployed(scene: StackScene) -> None:
    policy = scene.shop.policy
    policy.write_text(policy.read_text().replace(f'code-signing-config = "{scene.shop.configuration}"\n', ""))
    with scene.plan(dry_run=True) as plan:
        assert f"CodeSigningConfigArn: {scene.shop.configuration}" in plan.request.sent.text, "the one that was made for the profile"
    scene.shop.lambda_.delete_code_signing_config(CodeSigningConfigArn=scene.shop.configuration)
    with scene.plan() as plan:
        assert plan.verification.exit_code == 5
        assert any("would have no code-signing configuration" in one for one in plan.verification.complaints)
        assert plan.proposal.change_set is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Resources:\n", "# CodeSigningConfigArn\nResources:\n"),
        ("CodeUri: pay/, ", "CodeUri: pay/, CodeSigningConfigArn: !Ref AWS::NoValue, "),
        ("CodeUri: pay/, ", "CodeUri: pay/, CodeSigningConfigArn: CONFIGURATION, "),
    ],
)
def test_every_function_has_a_configuration_and_not_only_the_word_of_it(scene: StackScene, old: str, new: str) -> None:
    policy, template = scene.shop.policy, scene.shop.desk.project / "template.yaml"
    policy.write_text(policy.read_text().replace(f'code-signing-config = "{scene.shop.configuration}"\n', ""))
    template.write_text(TEMPLATE.replace(old, new.replace("CONFIGURATION", scene.shop.configuration)))
    with scene.plan(dry_run=True) as plan:
        assert plan.request.sent.text.count(f"CodeSigningConfigArn: {scene.shop.configuration}") == 2
    theirs = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/theirs/abcdefghij"
    made = scene.shop.lambda_.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [theirs]})
    other = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    scene.shop.lambda_.delete_code_signing_config(CodeSigningConfigArn=scene.shop.configuration)
    template.write_text(TEMPLATE.replace("CodeUri: pay/, ", f"CodeUri: pay/, CodeSigningConfigArn: '{other}', "))
    with scene.plan() as plan:
        assert plan.verification.exit_code == 5
        assert any("does not allow who signed" in one for one in plan.verification.complaints)


def test_code_that_was_changed_beside_the_stack_is_no_success(scene: StackScene) -> None:
    assert scene.deploy().exit_code == 0
    older = scene.shop.older.object
    name = scene.physical("Pay")
    scene.shop.lambda_.update_function_code(FunctionName=name, S3Bucket=older.bucket, S3Key=older.key, S3ObjectVersion=older.version)
    version = scene.shop.lambda_.publish_version(FunctionName=name)["Version"]
    scene.shop.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    done = scene.deploy()
    assert done.exit_code == 4
    assert of(done, "Pay").ending is Ending.UNFINISHED
    assert "whose drift CloudFormation then detects" in str(of(done, "Pay").error)
    assert of(done, "Stock").ending is Ending.UNCHANGED


def test_landed_only_verifies(scene: StackScene) -> None:
    words = ("deploy", "--stage", "prod", "--landed", "--offline-advisories")
    done = shipsafe(*words, cwd=scene.shop.desk.project)
    assert done.code == 4, done.out + done.err
    assert f"There is no stack {STACK} yet." in done.out
    scene.older()
    done = shipsafe(*words, cwd=scene.shop.desk.project)
    assert done.code == 4, done.out + done.err
    assert "Deploy it: shipsafe deploy dist --stage prod" in done.out
    assert scene.asked("CreateChangeSet") == 1
    assert scene.deploy().exit_code == 0
    done = shipsafe(*words, cwd=scene.shop.desk.project)
    assert done.code == 0, done.out + done.err


def test_a_function_of_another_name_is_not_taken_for_that_of_the_stack(scene: StackScene) -> None:
    """It runs the release, and nobody has deployed that to the stack."""
    scene.older()
    scene.shop.add('[[deploy.function]]\nfunction = "Pay"\nname = "pay-elsewhere"\n')
    scene.shop.function("pay-elsewhere", code=scene.shop.signed)
    with scene.plan() as plan:
        [pay] = [one for one in plan.standing if one.wanted.artifact.name == "Pay"]
        assert (pay.name, pay.landed) == (scene.physical("Pay"), False)
    done = scene.deploy()
    assert (done.exit_code, of(done, "Pay").function, of(done, "Pay").ending) == (0, scene.physical("Pay"), Ending.DEPLOYED)


def test_what_sam_would_upload_is_refused_by_its_name(scene: StackScene) -> None:
    path = scene.shop.desk.project / "template.yaml"
    text = path.read_text()
    path.write_text(f"{text}  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: live, DefinitionUri: api.yaml}}}}\n")
    with pytest.raises(ConfigError, match=r"Resources\.Api\.Properties\.DefinitionUri is 'api\.yaml'"), scene.plan():
        pass
    path.write_text(f"{text}# {'x' * 52_000}\n")
    with pytest.raises(ConfigError, match="takes 51,200 without"), scene.plan():
        pass
    assert scene.asked("CreateChangeSet") == 0


def test_what_cannot_be_meant_is_refused(scene: StackScene) -> None:
    for words, said in (
        (("--stack", "other"), "Stage prod names stack shop."),
        (("--function", "Pay"), "CloudFormation deploys all that the template of stack shop describes"),
        (("--atomic",), "Leave out --function, --create and --atomic."),
        (("--template", "dist/shipsafe.json"), "The template has no `Resources`."),
    ):
        done = shipsafe("deploy", "--stage", "prod", *words, "--yes", "--offline-advisories", cwd=scene.shop.desk.project)
        assert done.code == 2, done.out + done.err
        assert said in done.err
    done = shipsafe("ship", "--stage", "prod", "--yes", cwd=scene.shop.desk.project)
    assert done.code == 2, done.out + done.err
    assert "Stage prod is stack shop, which CloudFormation changes" in done.err + done.out
    done = shipsafe("deploy", "--stage", "prod", "--via", "sam", "--dry-run", "--offline-advisories", cwd=scene.shop.desk.project)
    assert done.code == 0, done.out + done.err
    assert "nothing is run" in done.out


def test_a_stack_of_somebody_else_does_not_lose_everything_unasked(scene: StackScene) -> None:
    """One letter in the policy, and CloudFormation would delete what another team has."""
    scene.change('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Queue": {"Type": "AWS::SQS::Queue"}}}', "CREATE")
    words = ("deploy", "--stage", "prod", "--offline-advisories")
    done = shipsafe(*words, "--yes", cwd=scene.shop.desk.project)
    assert (done.code, scene.status, scene.proposed) == (2, "CREATE_COMPLETE", []), done.out + done.err
    told = f"NOTHING of what stack {STACK} has is in the template: Queue, Topic would be taken away."
    assert f"{told} Correct the `stack` of stage prod; if it is right, run it without --yes, which asks." in done.err
    done = shipsafe(*words, "--dry-run", cwd=scene.shop.desk.project)
    assert (done.code, told in done.out) == (0, True)
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}
    scene.change(json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "PayRole": role}}))
    with scene.plan() as plan:
        assert "REMOVES AWS::SNS::Topic Topic" in "\n".join(plan.lines)
        assert all_lost(plan) == (), "it keeps a role"


def test_without_the_stage_its_name_is_told_and_nothing_is_made_beside_the_stack(scene: StackScene) -> None:
    done = shipsafe("deploy", "--yes", "--offline-advisories", cwd=scene.shop.desk.project)
    assert done.code == 2
    assert "There is no function Pay in account" in done.err
    assert "a stack of the policy is to have it. Let CloudFormation change that: --stage prod." in done.err
    assert "--create" not in done.err


def test_new_settings_are_a_deployment_also_where_the_code_is_the_same(scene: StackScene) -> None:
    assert scene.deploy().exit_code == 0
    template = scene.shop.desk.project / "template.yaml"
    template.write_text(template.read_text().replace("CodeUri: stock/,", "CodeUri: stock/, MemorySize: 512,"))
    done = scene.deploy()
    assert done.exit_code == 0
    told = {one.artifact: (one.ending, one.before, one.version) for one in done.deployments}
    assert told == {"Pay": (Ending.UNCHANGED, "", "1"), "Stock": (Ending.DEPLOYED, "1", "2")}
