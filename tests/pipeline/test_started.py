"""What `shipsafe init` writes runs green as it stands: a SAM application, a Terraform plan, and a plain folder.

The projects are those of `examples/`, without what shipsafe needs of them. Nothing is edited between `init` and the run. OSV's export is a
zip on this machine: in the copy of our repository that is called its address is that file.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shipsafe.advisories.snapshot import EXPORT
from shipsafe.local.endpoint import Endpoint, start
from tests.end_to_end.program import Ended, shipsafe
from tests.iam.sessions import beyond
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.pipeline.consumer import NAME, SHA, Consumer
from tests.pipeline.github import OWNER_ID, REPOSITORY_ID, GitHub
from tests.pipeline.staging import stage_product
from tests.verify.live_world import ROLE

if TYPE_CHECKING:
    from shipsafe.local.pki import LocalRoot

pytestmark = pytest.mark.registry
PASSED, SKIPPED = ("success",), ("skipped",)
GITHUB = GitHub(repository=NAME)
_OURS = shutil.ignore_patterns("shipsafe.toml", "advisories", "README.md", "dist")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the runs share: our repository, where it is installed, and an account on this machine with nothing in it."""

    product: Path
    installed: Path
    endpoint: Endpoint
    environment: dict[str, str]

    @property
    def owner(self) -> dict[str, str]:
        """The environment of whoever may do everything in the account."""
        return self.environment | {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, repository: Path, local_root: "LocalRoot") -> Iterator[World]:
    folder = tmp_path_factory.mktemp("started")
    with zipfile.ZipFile(folder / "all.zip", "w") as export:
        for record in (repository / "examples/orders/advisories").iterdir():
            export.write(record, record.name)
    stage_product(repository, folder / "product", SHA)
    source = folder / "product/shipsafe/advisories/snapshot.py"
    text = source.read_text(encoding="utf-8")
    assert text.count(EXPORT) == 1
    source.write_text(text.replace(EXPORT, str(folder / "all.zip")), encoding="utf-8")
    (folder / "none").touch()
    with start(delay=timedelta(), root=local_root) as endpoint:
        endpoint.functions.configure({"creating": 0, "updating": 0})
        endpoint.issuers.add({"issuer": GITHUB.issuer, "jwks": GITHUB.keys()})
        environment = {
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
            "SHIPSAFE_LOCAL_ROOT": endpoint.fingerprint,
        }
        yield World(product=folder / "product", installed=folder / "installed", endpoint=endpoint, environment=environment)


def started(example: Path, folder: Path, world: World, runner: dict[str, str], *words: str) -> tuple[Consumer, Ended]:
    """A consumer whose repository is a copy of an example, after `shipsafe init`."""
    cache = {"SHIPSAFE_CACHE_DIR": str(folder / "cache")}  # a runner begins with an empty one
    consumer = Consumer(folder=folder / "world", product=world.product, environment=runner | world.environment | cache,
                        installed=world.installed, github=GITHUB.anew())  # fmt: skip
    shutil.copytree(example, consumer.tree, ignore=_OURS, dirs_exist_ok=True)
    done = shipsafe("init", "--yes", "--ref", SHA, *words, cwd=consumer.tree)
    assert done.code == 0, done.out + done.err
    again = shipsafe("init", "--yes", "--offline", cwd=consumer.tree)
    assert "nothing was changed" in again.out, again.out + again.err
    consumer.commit({}, "what init wrote")
    return consumer, done


STACK = "orders"
TRUST = json.dumps(
    {"Version": "2012-10-17",
     "Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
)  # fmt: skip
# Powertools, as its publisher signed it.
_NOT_THERE = ":017000801446:layer:"
ABOUT = {"full_name": NAME, "name": "orders", "default_branch": "main", "private": False}
MAIN = {"ref": "refs/heads/main", "ref_type": "branch", "sha": "0" * 40}
AWS = ("--account", ACCOUNT, "--region", REGION)


def test_a_plain_folder_is_built_signed_deployed_and_verified(
    tmp_path: Path, repository: Path, world: World, runner: dict[str, str]
) -> None:
    """In a repository of after 15 July 2026, whose tokens have its numbers in their subjects."""
    with closing(client("kms", endpoint_url=world.endpoint.url)) as kms:
        key = "awskms:" + kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    numbers = ("--owner-id", OWNER_ID, "--repository-id", REPOSITORY_ID)
    consumer, _ = started(repository / "examples/pictures", tmp_path, world, runner, *AWS, *numbers, "--deploy", "--key", key)
    consumer.github.numbered = True
    made = shipsafe("bootstrap", "--yes", cwd=consumer.tree, env=world.owner)
    assert made.code == 0, made.out + made.err
    _run_functions(world.endpoint, "resize", "notify")
    ran = consumer.push()
    assert {job: results for job, results in ran.results.items() if results != PASSED} == {"comment": SKIPPED, "approval": SKIPPED}, (
        ran.told()
    )
    assert ran.code == 0
    manifest = json.loads(next((consumer.kept / "artifacts").glob("*-deployed/shipsafe.json")).read_text())
    signed = {one["name"]: one["signatures"][0]["code_sha256"] for one in manifest["artifacts"]}
    with closing(client("lambda", endpoint_url=world.endpoint.url)) as functions:
        assert signed == {name: functions.get_function_configuration(FunctionName=name)["CodeSha256"] for name in ("resize", "notify")}
    consumer.workflow = ".github/workflows/shipsafe.yml"
    again = consumer.run("workflow_dispatch", {"repository": ABOUT}, claims=MAIN)
    assert again.results == {"plan": PASSED, "advisories": PASSED, "permissions": PASSED}, again.told()


def test_a_sam_application_is_deployed_through_a_change_set_of_its_stack_and_verified(
    tmp_path: Path, repository: Path, world: World, runner: dict[str, str]
) -> None:
    """The stack is made by the first release, and changed by the next. A function that is guarded takes no layer that others signed."""
    project = tmp_path / "project"
    shutil.copytree(repository / "examples/orders", project, ignore=_OURS)
    template = (project / "template.yaml").read_text(encoding="utf-8")
    (project / "template.yaml").write_text(
        "".join(line for line in template.splitlines(keepends=True) if _NOT_THERE not in line), encoding="utf-8"
    )
    (project / "samconfig.toml").write_text(f'version = 0.1\n[default.deploy.parameters]\nstack_name = "{STACK}"\nregion = "{REGION}"\n')
    with closing(client("iam", endpoint_url=world.endpoint.url)) as iam:
        role = iam.create_role(RoleName=f"{STACK}-cloudformation", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    words = ("--account", ACCOUNT, "--stack", STACK, "--stack-role", role)
    consumer, _ = started(project, tmp_path, world, runner, *words)
    made = shipsafe("bootstrap", "--yes", cwd=consumer.tree, env=world.owner)
    assert made.code == 0, made.out + made.err
    world.endpoint.trail.clear()  # of other projects, whose roles had other rights
    ran = consumer.push()
    assert {job: results for job, results in ran.results.items() if results != PASSED} == {"comment": SKIPPED, "approval": SKIPPED}, (
        ran.told()
    )
    assert ran.code == 0
    first = running(world.endpoint)
    assert {"CreateOrder", "ExportReport", "Notify"} == first.keys()
    manifest = json.loads(next((consumer.kept / "artifacts").glob("*-deployed/shipsafe.json")).read_text())
    signed = {one["name"]: one["signatures"][0]["code_sha256"] for one in manifest["artifacts"]}
    assert {name: signed[name] for name in first} == first
    ran = consumer.push({"src/notify/notify.py": "def handler(event, context):\n    return 'again'\n"})
    assert ran.code == 0, ran.told()
    second = running(world.endpoint)
    assert {name for name in second if second[name] != first[name]} == {"Notify"}
    assert beyond(world.endpoint) == set(), "the roles have the rights to all that their jobs asked"
    checked = shipsafe("doctor", cwd=consumer.tree, env=world.owner)
    assert f"CloudFormation may take {role}" in checked.out, checked.out + checked.err


def test_a_terraform_plan_is_built_and_the_summary_says_why_nothing_is_signed(
    tmp_path: Path, repository: Path, world: World, runner: dict[str, str]
) -> None:
    consumer, done = started(repository / "examples/orders-terraform", tmp_path, world, runner)
    assert "plan.json is a plan, and may hold values that are secret" in done.out
    ran = consumer.push()
    assert {job for job, results in ran.results.items() if results == PASSED} == {"plan", "build", "collect", "code-scanning", "attest"}, (
        ran.told()
    )
    assert ran.code == 0
    assert ran.outputs("collect")["decision"] == "PASS"
    assert "Nothing is signed: the policy names no [[sign.target]]" in ran.summaries["plan"]


def running(endpoint: Endpoint) -> dict[str, str]:
    """The digest of the code that each function of the stack runs, by its logical id."""
    with (
        closing(client("cloudformation", endpoint_url=endpoint.url)) as stacks,
        closing(client("lambda", endpoint_url=endpoint.url)) as functions,
    ):
        found = stacks.describe_stack_resources(StackName=STACK)["StackResources"]
        names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found if one["ResourceType"] == "AWS::Lambda::Function"}
        return {key: functions.get_function_configuration(FunctionName=name)["CodeSha256"] for key, name in names.items()}


def _run_functions(endpoint: Endpoint, *names: str) -> None:
    """Functions that run something older, under the configuration that `bootstrap` made."""
    older = io.BytesIO()
    with zipfile.ZipFile(older, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return 'older'\n")
    with closing(client("lambda", endpoint_url=endpoint.url)) as functions:
        arn = functions.list_code_signing_configs()["CodeSigningConfigs"][0]["CodeSigningConfigArn"]
        for name in names:
            code = {"ZipFile": older.getvalue()}
            functions.create_function(FunctionName=name, Runtime="python3.13", Handler="handler.handler", Role=ROLE, Code=code)
            functions.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
