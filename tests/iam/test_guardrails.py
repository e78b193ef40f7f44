"""What `enforce --guardrails` prints denies what takes enforcement off, and nothing that the commands do by their roles.

The calls are real ones: made against the local endpoint, as they were recorded on the way there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.enforce.guardrails import DEPLOY, SCP, SIGN, Guardrails, guardrails
from shipsafe.errors import ConfigError
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.policy import Policy
from shipsafe.policy import load
from tests.iam.denied import denied
from tests.iam.rights import TABLE, Recorder
from tests.local.functions.world import zipped
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.place import Site, make_bucket, make_profile

OURS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
OTHER = OURS.replace("csc-0123", "csc-9999")
SIGNER, DEPLOYER, GLASS, GUARD, SOMEBODY = (
    f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("signer", "deployer", "glass", "guard", "dev")
)
TARGET = f"""
[[sign.target]]
name = "prod"
profile = "orders_2026"
bucket = "orders"
code-signing-config = "{OURS}"
role = "{SIGNER}"
"""
ROLES = f"""
[enforce]
role = "{GUARD}"
[break-glass]
role = "{GLASS}"
[[deploy.stage]]
name = "prod"
target = "prod"
role = "{DEPLOYER}"
"""
Made = list[tuple[str, str, dict[str, Any]]]


def policy(folder: Path, text: str) -> Policy:
    (folder / "shipsafe.toml").write_text(text)
    return load(folder, offline=True, cache=folder / "none", fetch=lambda _url: b"", today=date(2026, 11, 21))


@pytest.fixture
def made(tmp_path: Path) -> Guardrails:
    return guardrails(policy(tmp_path, TARGET + ROLES))


class Stop(Exception):  # noqa: N818 - it ends a call that was recorded, and is no error
    """A call that was recorded goes no further."""


def recorded(aws: Aws, service: str, method: str, **words: Any) -> tuple[str, Mapping[str, Any]]:
    """A call as botocore makes it, and what it was given; it is not sent."""
    client = aws.client(service)

    def stop(**_: Any) -> None:
        raise Stop

    client.meta.events.register_last("provide-client-params.*.*", stop)
    with pytest.raises(Stop):
        getattr(client, method)(**words)
    client.meta.events.unregister("provide-client-params.*.*", stop)
    assert aws.record is not None
    name, operation, parameters = aws.record.calls.pop()  # type: ignore[attr-defined]  # our Recorder
    return f"{name}:{operation}", parameters


@pytest.fixture
def aws(local_aws: Endpoint) -> Aws:  # noqa: ARG001 - sets the environment
    return open_aws(Place(region=REGION), record=Recorder())


FUNCTION: dict[str, Any] = {"FunctionName": "orders", "Role": SOMEBODY, "Code": {"ZipFile": b""}}
PROFILE: dict[str, Any] = {"profileName": "orders_2026"}
# What takes enforcement off, or goes past it, whoever does it: the call, who makes it, and the statement that denies it.
ATTACKS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("lambda", "create_function", FUNCTION, GUARD, "CreateUnderOurConfiguration"),
    ("lambda", "create_function", FUNCTION | {"CodeSigningConfigArn": OTHER}, DEPLOYER, "CreateUnderOurConfiguration"),
    ("lambda", "put_function_code_signing_config", {"FunctionName": "a", "CodeSigningConfigArn": OTHER}, DEPLOYER,
     "AttachOurConfiguration"),
    ("lambda", "delete_function_code_signing_config", {"FunctionName": "a"}, GUARD, "DetachNothing"),
    ("lambda", "update_code_signing_config", {"CodeSigningConfigArn": OURS}, DEPLOYER, "ChangeNoConfiguration"),
    ("lambda", "delete_code_signing_config", {"CodeSigningConfigArn": OURS}, SIGNER, "ChangeNoConfiguration"),
    ("signer", "put_signing_profile", PROFILE | {"platformId": "p"}, SIGNER, "ChangeNoConfiguration"),
    ("signer", "cancel_signing_profile", PROFILE, SOMEBODY, "ChangeNoConfiguration"),
    ("signer", "add_profile_permission", PROFILE | {"action": "signer:StartSigningJob", "principal": "1" * 12, "statementId": "a"}, SIGNER,
     "ChangeNoConfiguration"),
    ("lambda", "create_function_url_config", {"FunctionName": "a", "AuthType": "NONE"}, DEPLOYER, "OpenNoUrl"),
    ("lambda", "update_function_url_config", {"FunctionName": "a", "AuthType": "NONE"}, GUARD, "OpenNoUrl"),
    ("lambda", "add_permission", {"FunctionName": "a", "StatementId": "a", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
                                  "FunctionUrlAuthType": "NONE"}, DEPLOYER, "OpenNoUrl"),
    ("signer", "start_signing_job", PROFILE | {"source": {}, "destination": {}}, DEPLOYER, "OnlyTheseSign"),
    ("lambda", "update_function_code", {"FunctionName": "a"}, SIGNER, "OnlyTheseDeploy"),
    ("lambda", "update_alias", {"FunctionName": "a", "Name": "live"}, SOMEBODY, "OnlyTheseDeploy"),
    ("lambda", "update_function_configuration", {"FunctionName": "a"}, SOMEBODY, "OnlyTheseDeploy"),
    ("lambda", "publish_layer_version", {"LayerName": "a", "Content": {}}, SOMEBODY, "OnlyThesePublishLayers"),
]  # fmt: skip


def test_what_takes_enforcement_off_is_denied_and_every_statement_denies_something(made: Guardrails, aws: Aws) -> None:
    document, used = made.documents[SCP], set[str]()
    for service, method, words, by, sid in ATTACKS:
        call, parameters = recorded(aws, service, method, **words)
        assert sid in denied(document, call, parameters, by=by), (call, by)
        used.add(sid)
    assert used == {one["Sid"] for one in document["Statement"]}


def test_what_is_ours_is_not_denied(made: Guardrails, aws: Aws) -> None:
    """Create under our configuration, attach it, a URL with authentication; change configurations as the guard."""
    for service, method, words, by in [
        ("lambda", "create_function", FUNCTION | {"CodeSigningConfigArn": OURS}, DEPLOYER),
        ("lambda", "create_function", FUNCTION | {"CodeSigningConfigArn": OURS}, GLASS),
        ("lambda", "put_function_code_signing_config", {"FunctionName": "a", "CodeSigningConfigArn": OURS}, GUARD),
        ("lambda", "put_function_code_signing_config", {"FunctionName": "a", "CodeSigningConfigArn": OTHER}, GUARD),
        ("lambda", "put_function_code_signing_config", {"FunctionName": "a", "CodeSigningConfigArn": OURS}, DEPLOYER),
        ("lambda", "update_code_signing_config", {"CodeSigningConfigArn": OURS}, GUARD),
        ("lambda", "create_function_url_config", {"FunctionName": "a", "AuthType": "AWS_IAM"}, DEPLOYER),
        ("lambda", "update_function_url_config", {"FunctionName": "a"}, DEPLOYER),
        ("lambda", "add_permission", {"FunctionName": "a", "StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "1"}, GUARD),
        ("signer", "start_signing_job", PROFILE | {"source": {}, "destination": {}}, GLASS),
        ("lambda", "publish_layer_version", {"LayerName": "a", "Content": {}}, SIGNER),
    ]:
        call, parameters = recorded(aws, service, method, **words)
        assert denied(made.documents[SCP], call, parameters, by=by) == [], (call, by)


def test_the_role_of_a_stack_deploys_for_cloudformation_where_somebody_is_named_who_deploys(tmp_path: Path, aws: Aws) -> None:
    call, parameters = recorded(aws, "lambda", "update_function_code", FunctionName="a")
    stack = f'stack = "shop"\nstack-role = "{SOMEBODY}"\n'
    scp = guardrails(policy(tmp_path, TARGET + ROLES + stack)).documents[SCP]
    assert [denied(scp, call, parameters, by=by) for by in (SOMEBODY, DEPLOYER, SIGNER)] == [[], [], ["OnlyTheseDeploy"]]
    nobody = ROLES.replace(f'role = "{DEPLOYER}"\n', stack)
    made = guardrails(policy(tmp_path, TARGET + nobody))
    assert denied(made.documents[SCP], call, parameters, by=SIGNER) == [], "other stages may have deployers that nobody names"
    assert "No [[deploy.stage]] names a `role`: who deploys is left to IAM." in made.remarks


def _calls_of_sign(endpoint: Endpoint, folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    recorder = Recorder()
    make_bucket()
    make_profile()
    site = Site(endpoint, folder)
    site.opened[site.target] = open_aws(Place(region=REGION), record=recorder)
    assert not site.run().failed
    return ((f"{service}:{operation}", parameters) for service, operation, parameters in recorder.calls)


def test_sign_does_its_work_under_all_of_them(made: Guardrails, local_aws: Endpoint, tmp_path: Path) -> None:
    calls = list(_calls_of_sign(local_aws, tmp_path))
    assert "signer:StartSigningJob" in {call for call, _ in calls}
    for call, parameters in calls:
        assert denied(made.documents[SCP], call, parameters, by=SIGNER) == []
        assert denied(made.documents[SIGN], call, parameters, by=SIGNER) == []
    assert [call for call, words in calls if denied(made.documents[DEPLOY], call, words, by=DEPLOYER)] == ["signer:StartSigningJob"]


def test_who_signs_deploys_nothing_and_who_deploys_signs_nothing(made: Guardrails, aws: Aws) -> None:
    call, parameters = recorded(aws, "lambda", "update_function_code", FunctionName="orders", ZipFile=zipped())
    assert denied(made.documents[SIGN], call, parameters, by=SIGNER) == ["DeployNothing"]
    assert denied(made.documents[DEPLOY], call, parameters, by=DEPLOYER) == []
    for method in ("delete_function_code_signing_config", "put_function_code_signing_config"):
        words = {"FunctionName": "a"} | ({"CodeSigningConfigArn": OTHER} if method.startswith("put") else {})
        call, parameters = recorded(aws, "lambda", method, **words)
        assert denied(made.documents[DEPLOY], call, parameters, by=DEPLOYER)


def test_every_action_and_condition_is_one_that_aws_has(made: Guardrails) -> None:
    """Actions of these two services are called as their operations are; condition keys stand in the table with their sources."""
    session = botocore.session.get_session()
    known = {f"{name}:{one}" for name in ("lambda", "signer") for one in session.get_service_model(name).operation_names}
    keys = {row["key"] for row in TABLE["condition"]} | {"aws:PrincipalArn"}
    for document in made.documents.values():
        for one in document["Statement"]:
            actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
            assert set(actions) <= known
            assert {key for condition in one.get("Condition", {}).values() for key in condition} <= keys
    for row in TABLE["condition"]:
        assert row["source"].startswith("https://docs.aws.amazon.com/")
        for call in row["calls"]:
            service, _, operation = call.partition(":")
            assert row["parameter"] in session.get_service_model(service).operation_model(operation).input_shape.members


def test_it_is_small_enough_to_be_attached(made: Guardrails) -> None:
    assert len(json.dumps(made.documents[SCP], separators=(",", ":"))) < 5120
    assert json.loads(made.text()) == dict(made.documents)


def test_what_the_policy_does_not_name_is_said(tmp_path: Path) -> None:
    """Roles that nobody names are not guessed; nobody is let past the configurations."""
    made = guardrails(policy(tmp_path, TARGET.replace(f'role = "{SIGNER}"', "")))
    assert list(made.documents) == [SCP]
    sids = [one["Sid"] for one in made.documents[SCP]["Statement"]]
    assert sids == ["CreateUnderOurConfiguration", "AttachOurConfiguration", "DetachNothing", "ChangeNoConfiguration", "OpenNoUrl"]
    assert "Condition" not in made.documents[SCP]["Statement"][3]
    said = "\n".join(made.remarks)
    for words in ("nobody may change a configuration", "who signs is left to IAM", "who deploys is left to IAM"):
        assert words in said


def test_one_role_for_both_is_said_and_gets_no_document_that_contradicts_it(tmp_path: Path) -> None:
    made = guardrails(policy(tmp_path, TARGET + ROLES.replace(DEPLOYER, SIGNER)))
    assert list(made.documents) == [SCP]
    assert any("signs and deploys" in one for one in made.remarks)


def test_codedeploy_moves_aliases_with_a_role_of_its_own(tmp_path: Path) -> None:
    """Nobody finds out from a deployment that hangs: who names a group is told."""
    group = 'codedeploy-application = "shop"\ncodedeploy-group = "orders"\n'
    assert not [one for one in guardrails(policy(tmp_path, TARGET + ROLES)).remarks if "CodeDeploy" in one]
    said = guardrails(policy(tmp_path, TARGET + ROLES + f'[[deploy.function]]\nfunction = "Orders"\n{group}')).remarks
    assert [one for one in said if "CodeDeploy moves aliases with the service role" in one]


def test_without_a_configuration_there_is_nothing_to_hold_to(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names no code-signing configuration"):
        guardrails(policy(tmp_path, TARGET.replace(f'code-signing-config = "{OURS}"', "")))


def test_one_that_is_too_large_says_so(tmp_path: Path) -> None:
    given = policy(tmp_path, TARGET + ROLES)
    many = tuple(replace(given.sign.targets[0], name=str(n), code_signing_config=f"{OURS[:-3]}{n:03}") for n in range(60))
    assert any("characters" in one for one in guardrails(replace(given, sign=replace(given.sign, targets=many))).remarks)
