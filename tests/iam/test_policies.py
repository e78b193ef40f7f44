"""configs/iam: each policy grants what its command asks of AWS, and nothing else but what is named and sourced as dependent.

The calls are those of real runs against the local endpoint, recorded where botocore takes their parameters.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import botocore.session
import pytest

from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.aws.stacks import functions_of_stack
from shipsafe.errors import NothingError
from shipsafe.evidence.envelope import read_envelope, statement_of, written
from shipsafe.evidence.keys import open_signers
from shipsafe.evidence.signing_record import signing_record
from shipsafe.evidence.store import open_store
from shipsafe.flows.audit import AuditRequest, audit
from shipsafe.flows.bootstrap import carry_out, standing, survey
from shipsafe.flows.doctor import examine
from shipsafe.flows.restore import let_run, look
from shipsafe.flows.revoke import carry_out as carry_out_revocation
from shipsafe.flows.revoke import survey as survey_of_revocation
from shipsafe.flows.transport import get, put
from shipsafe.flows.transport_places import open_place
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.attestation import Resource
from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.model.deployment import Stage
from shipsafe.model.pipeline import Job
from shipsafe.model.policy import Policy
from shipsafe.model.signing import ProfileVersion, SignedArtifact, SigningJob, SignPolicy, SignTarget
from shipsafe.packing.parcel import items_of
from shipsafe.policy import load
from shipsafe.signing.revoke.wanted import Revocation
from shipsafe.signing.setup.check import State
from shipsafe.signing.setup.rights import Site as SetupSite
from shipsafe.signing.setup.rights import rights
from shipsafe.verify.live import verify_functions
from shipsafe.verify.request import VerifyRequest
from tests.flows.evidence_shop import signing
from tests.iam.denied import ROLES, denied_of
from tests.iam.deploying import deploy_in_every_way
from tests.iam.deployments import codedeploy_to_the_end
from tests.iam.enforcing import enforce_to_the_end
from tests.iam.guarding import rotate_to_the_end, vendor_twice
from tests.iam.pipeline_roles import roles_in_every_state
from tests.iam.rights import FOLDER, TABLE, Grant, Need, Recorder, dependent, grants, grants_of
from tests.iam.stacking import stack_to_the_end
from tests.local.functions.world import zipped
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.place import Site
from tests.signing.revoke.fleet import pace
from tests.verify.live_world import World, told

TARGET = SignTarget(name="prod", profile="orders_2026", bucket="orders-${AWS::AccountId}", region=REGION, tags=(("team", "orders"),))
HELD = Verification(
    chains=(Chain(subject="function", links=(Link(id="code-sha256", hold=Hold.HELD, sentence="It holds."),)),),
    policy=None,
    policy_digest="",
)
COMMANDS = (
    "bootstrap",
    "build",
    "deploy",
    "deploy-codedeploy",
    "deploy-stack",
    "doctor",
    "enforce",
    "evidence",
    "layers",
    "revoke",
    "rotate",
    "sign",
    "transport",
    "verify",
)


@dataclass
class Account:
    """The AWS side of the target, made by bootstrap."""

    endpoint: Endpoint
    folder: Path
    target: SignTarget
    facts: Mapping[str, str]

    def connect(self, recorder: Recorder) -> Callable[[Place], Aws]:
        return partial(open_aws, record=recorder)


def _bootstrap(target: SignTarget, recorder: Recorder) -> dict[str, str]:
    connect = partial(open_aws, record=recorder)
    found = survey([target], connect)
    if found.mends:
        found = carry_out(found, say=lambda _line: None, sleep=time.sleep)
    one = next(standing(found))
    assert one.profile is not None
    assert one.configuration is not None
    return {"profile": one.profile, "configuration": one.configuration}


@pytest.fixture
def account(local_aws: Endpoint, tmp_path: Path) -> Account:
    made = _bootstrap(TARGET, Recorder())
    folder = tmp_path / "dist"
    folder.mkdir()
    facts = {"account": ACCOUNT, "region": REGION, "partition": "aws", "bucket": f"orders-{ACCOUNT}", "profile": TARGET.profile}
    facts["version"] = made["profile"].rpartition("/")[2]
    facts["evidence"] = f"evidence-{ACCOUNT}"
    client("s3").create_bucket(
        Bucket=facts["evidence"], CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True
    )
    facts["application"], facts["role"] = "shop", "orders"
    facts["stack"], facts["stack_role"] = "shop", f"arn:aws:iam::{ACCOUNT}:role/shop-cloudformation"
    facts["transport"], facts["roles"], facts["issuer"] = f"runs-{ACCOUNT}", "shipsafe-orders", "token.actions.githubusercontent.com"
    facts["signing_key"] = client("kms").create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return Account(local_aws, folder, replace(TARGET, code_signing_config=made["configuration"]), facts)


def _calls_of_bootstrap(account: Account) -> Recorder:
    """Nothing there, everything there, a configuration that is named, and a name that was cancelled."""
    recorder = Recorder()
    client("s3").delete_bucket(Bucket=account.facts["bucket"])
    _bootstrap(TARGET, recorder)
    _bootstrap(account.target, recorder)
    another = replace(TARGET, profile="orders_2027")
    survey([another], partial(open_aws, record=Recorder()))
    client("signer").put_signing_profile(profileName="cancelled", platformId="AWSLambda-SHA384-ECDSA")
    client("signer").cancel_signing_profile(profileName="cancelled")
    inner = Recorder()
    assert survey([replace(TARGET, profile="cancelled")], partial(open_aws, record=inner)).stops
    recorder.calls += [call for call in inner.calls if call[2].get("profileName") != "cancelled"]  # a policy names one profile
    new = Recorder()
    _bootstrap(replace(TARGET, profile="orders_2028"), new)
    recorder.calls += [call for call in new.calls if call[1] in ("PutSigningProfile", "CreateCodeSigningConfig")]
    roles_in_every_state(account.folder, account.target, account.connect(recorder))
    return recorder


def _calls_of_build(account: Account) -> Recorder:
    """What the builder states, signed in a job of its own by a key in KMS."""
    recorder = Recorder()
    [signer] = open_signers([f"awskms:{account.facts['signing_key']}"], connect=account.connect(recorder))
    read_envelope(written(signing("orders"), [signer]), shown="orders.intoto.jsonl")
    return recorder


def _calls_of_transport(account: Account) -> Recorder:
    """A folder that is handed over, handed over again, and taken; and one that is not there."""
    recorder, name = Recorder(), account.facts["transport"]
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    (account.folder / "a.txt").write_text("a")
    items = items_of(account.folder)
    for run in ("1", "1"):
        put(account.folder, items, open_place(f"s3://{name}/runs/{run}", account.connect(recorder)))
    get(open_place(f"s3://{name}/runs/1", account.connect(recorder)), account.folder.parent / "taken")
    with pytest.raises(NothingError):
        get(open_place(f"s3://{name}/runs/2", account.connect(recorder)), account.folder.parent / "nothing")
    return recorder


def _calls_of_doctor(account: Account) -> Recorder:
    recorder = Recorder()
    policy = replace(_policy(account.folder), sign=SignPolicy(targets=(account.target,)))
    for target in (account.target, replace(account.target, code_signing_config=None)):
        found = examine(policy, [target], account.connect(recorder), lambda: datetime.now(UTC))
        assert not [check for check in found.checks if check.state not in (State.OK, State.NOTE)]
    wanted = roles_in_every_state(account.folder, account.target, account.connect(Recorder()))
    examine(wanted, wanted.sign.targets, account.connect(recorder), lambda: datetime.now(UTC))
    return recorder


def _calls_of_sign(account: Account) -> Recorder:
    """A first run, one that has its journal, and one that has lost it."""
    recorder = Recorder()
    site = Site(account.endpoint, account.folder, target=account.target)
    site.opened[account.target] = open_aws(Place(region=REGION), record=recorder)
    assert not site.run().failed
    assert not site.run().failed
    for file in account.folder.iterdir():
        if file.suffix != ".zip":
            file.unlink()
    done = site.run()
    assert not done.failed
    _evidence(account, recorder, done.signed[0])
    return recorder


def _evidence(account: Account, recorder: Recorder, signed: SignedArtifact) -> None:
    """A record that a key in KMS signs, kept in a bucket with Object Lock, twice."""
    key = account.facts["signing_key"]
    signers = open_signers([f"awskms:{key}"], connect=account.connect(recorder))
    record = signing_record(
        signed, zipped=Resource(name="orders.zip", digests={"sha256": signed.unsigned_sha256}), claims=(), vouched_by=()
    )
    envelope = read_envelope(written(record, signers), shown="orders.intoto.jsonl")
    store = open_store(f"s3://{account.facts['evidence']}", home=account.folder, connect=account.connect(recorder))
    assert "Object Lock" in store.guard
    assert [store.keep(envelope, record), store.keep(envelope, record)] == [True, False]


def _calls_of_revoke(account: Account) -> Recorder:
    """A job and a profile version, with the brake, in every region; then both kinds of release from it."""
    recorder = Recorder()
    account.endpoint.functions.configure({"creating": 0, "updating": 0})
    site = Site(account.endpoint, account.folder, target=account.target)
    (signed,) = site.run().signed
    functions, code = client("lambda"), {"S3Bucket": signed.object.bucket, "S3Key": signed.object.key}
    layer = functions.publish_layer_version(LayerName="plain", Content={"ZipFile": zipped()})["LayerVersionArn"]
    for name, what in {"reserved": code, "unreserved": code, "unsigned": {"ZipFile": zipped()}}.items():
        role = f"arn:aws:iam::{ACCOUNT}:role/orders"
        functions.create_function(FunctionName=name, Role=role, Runtime="python3.13", Handler="app.main", Code=what, Layers=[layer])
    functions.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=5)
    connect, now = account.connect(recorder), datetime.now(UTC).replace(microsecond=0)
    policy = replace(_policy(account.folder), sign=SignPolicy(targets=(account.target,)))
    job = Revocation(what=SigningJob.parse(signed.job), reason="leaked", effective=None, now=now)
    profile = ProfileVersion.parse(signed.profile_version)
    for wanted in (job, Revocation(what=profile, reason="leaked", effective=now - timedelta(hours=1), now=now)):
        found = survey_of_revocation(wanted, policy, connect, regions=(), all_regions=True, pace=pace, say=lambda _line: None)
        assert not found.unlooked
        assert not carry_out_revocation(found, stopping=True, pace=pace, say=lambda _line: None).failed
    here = [connect(Place(region=REGION))]
    rest = look(here, [], lambda _aws, _name: HELD, pace=pace, say=lambda _line: None)
    assert not let_run(rest, pace=pace, say=lambda _line: None).failed
    assert len(rest.whole) == 2
    return recorder


def _calls_of_verify(account: Account) -> Recorder:
    """A function with a layer and an alias, by its name and by its alias, from evidence in a bucket; and a stack."""
    recorder = Recorder()
    account.endpoint.functions.configure({"creating": 0, "updating": 0})
    world = World(
        account.endpoint, Site(account.endpoint, account.folder, target=account.target), account.facts["profile"],
        str(account.target.code_signing_config), account.folder.parent, targets=(account.target,),
    )  # fmt: skip
    layer = world.layer("shared", world.signed("Shared", {"python/shared.py": b"1"}, subject="layer:Shared", handler=None))
    local = {"text": "Shared", "arn": None, "version": None, "local": "Shared", "changeable": "", "unresolved": ""}
    world.deploy("orders", world.signed("Orders", {"app.py": b"2"}, layers=[local]), Layers=[layer])
    world.lambda_.create_alias(FunctionName="orders", Name="live", FunctionVersion=world.publish("orders"))
    place = f"s3://{account.facts['evidence']}"
    store = open_store(place, home=account.folder, connect=account.connect(Recorder()))
    for line in world.evidence:
        store.keep(envelope := read_envelope(line, shown="orders"), statement_of(envelope, shown="orders"))
    kept = open_store(place, home=account.folder, connect=account.connect(recorder))
    request = VerifyRequest(policy=world.policy(), now=datetime.now(UTC), store=kept)
    found = verify_functions(["orders", "orders:live"], request, account.connect(recorder))
    assert found.exit_code == 0, told(found)
    with pytest.raises(AwsRefusal, match="ListStackResources answered"):  # 501: the local endpoint has no CloudFormation
        functions_of_stack(account.connect(recorder)(Place(region=REGION)), "shop")
    return recorder


def _calls_of_evidence(account: Account) -> Recorder:
    """What `report` reads of a store that `sign` has written."""
    recorder, place = Recorder(), f"s3://{account.facts['evidence']}"
    envelope = read_envelope(written(signing("orders"), []), shown="orders")
    open_store(place, home=account.folder, connect=account.connect(Recorder())).keep(envelope, signing("orders"))
    request = AuditRequest(policy=_policy(account.folder), folder=account.folder, today=datetime.now(UTC).date(), place=place)
    assert audit(request, account.connect(recorder)).exit_code == 0
    return recorder


def _calls_of_layers(account: Account) -> Recorder:
    """Beside those of signing, which `sign.json` grants."""
    recorder = Recorder()
    vendor_twice(account.endpoint, account.folder, account.target, account.connect(recorder))
    recorder.calls = [call for call in recorder.calls if call[0] == "lambda"]
    return recorder


def _calls_of_rotate(account: Account) -> Recorder:
    recorder = Recorder()
    rotate_to_the_end(account.endpoint, account.folder, _policy(account.folder), account.target, account.connect(recorder))
    return recorder


def _calls_of_deploy(account: Account) -> Recorder:
    """Deployments of every kind, and a record of one that is kept in a bucket."""
    recorder = Recorder()
    place = f"s3://{account.facts['evidence']}"
    signed = deploy_in_every_way(account.endpoint, account.folder.parent, account.target, place, account.connect(recorder))
    _evidence(account, recorder, signed)
    assert open_store(place, home=account.folder, connect=account.connect(recorder)).about(signed.sha256)
    return recorder


def _calls_of_enforce(account: Account) -> Recorder:
    recorder = Recorder()
    enforce_to_the_end(account.endpoint, account.folder, _policy(account.folder), account.target, account.connect(recorder))
    return recorder


def _calls_of_codedeploy(account: Account) -> Recorder:
    """One that goes well, and one that is stopped; the rest of a deployment is in another policy."""
    recorder = Recorder()
    codedeploy_to_the_end(account.endpoint, account.connect(recorder))
    recorder.calls = [call for call in recorder.calls if call[0] == "codedeploy"]
    return recorder


def _stack(account: Account, recorder: Recorder) -> Policy:
    place, role = f"s3://{account.facts['evidence']}", account.facts["stack_role"]
    return stack_to_the_end(account.endpoint, account.folder.parent, account.target, place, role, account.connect(recorder))


def _calls_of_stack(account: Account) -> Recorder:
    """Of CloudFormation; what else it asks is in other policies, and in the test of the role."""
    recorder = Recorder()
    _stack(account, recorder)
    recorder.calls = [call for call in recorder.calls if call[0] == "cloudformation"]
    return recorder


def _policy(folder: Path) -> Policy:
    return load(folder, offline=True, cache=folder, fetch=lambda _url: b"", today=datetime.now(UTC).date())


_CALLS = {
    "bootstrap": _calls_of_bootstrap,
    "build": _calls_of_build,
    "deploy": _calls_of_deploy,
    "deploy-codedeploy": _calls_of_codedeploy,
    "deploy-stack": _calls_of_stack,
    "doctor": _calls_of_doctor,
    "enforce": _calls_of_enforce,
    "evidence": _calls_of_evidence,
    "layers": _calls_of_layers,
    "revoke": _calls_of_revoke,
    "rotate": _calls_of_rotate,
    "sign": _calls_of_sign,
    "transport": _calls_of_transport,
    "verify": _calls_of_verify,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_policy_grants_what_its_command_asks_and_nothing_else(command: str, account: Account) -> None:
    """Both ways: every recorded call is allowed, and every grant is used by one or named as dependent."""
    recorder = _CALLS[command](account)
    needs = recorder.needs(account.facts)
    held = grants(command, account.facts)
    assert not [need for need in needs if not _allowed(need, held, account.facts)]
    unused = {(one.action, one.pattern) for one in held if not any(one.allows(need, account.facts) for need in needs)}
    extra = dependent(command, account.facts)
    assert unused <= extra
    asked = {need.action for need in needs}
    assert asked == {one.action for one in held} - ({action for action, _ in extra} - asked)
    assert denied_of(recorder.calls, command, _guarded(account)) == set()  # and no guardrail is in its way


def test_the_role_that_deploys_a_stack_has_all_that_this_needs_and_changes_no_function(account: Account) -> None:
    recorder = Recorder()
    policy = _stack(account, recorder)
    facts = account.facts
    site = SetupSite(
        partition="aws", account=ACCOUNT, region=REGION, bucket=facts["bucket"], keeper=ACCOUNT, profile=facts["profile"],
        version=facts["version"], owner=ACCOUNT, stack=facts["stack"], stack_role=facts["stack_role"],
    )  # fmt: skip
    held = grants_of(rights(Job.DEPLOY, [site], policy))
    needs = recorder.needs(facts)
    assert {need.action for need in needs} >= {"cloudformation:ExecuteChangeSet", "lambda:GetFunction"}
    assert not [need for need in needs if not _allowed(need, held, facts)]
    assert not [one.action for one in held if one.action.startswith(("lambda:Update", "lambda:Create", "lambda:Publish", "lambda:Delete"))]


def _guarded(account: Account) -> Policy:
    """A policy that names a role for everybody."""
    target = replace(account.target, role=ROLES["sign"])
    stage = Stage(name="prod", target=target.name, role=ROLES["deploy"])
    policy = _policy(account.folder)
    return replace(
        policy, sign=SignPolicy(targets=(target,)), deploy=replace(policy.deploy, stages=(stage,)),
        enforce=replace(policy.enforce, role=ROLES["guard"]),
    )  # fmt: skip


def _allowed(need: Need, held: list[Grant], facts: Mapping[str, str]) -> bool:
    return any(one.allows(need, facts) for one in held)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_dependent_permission_is_in_its_policy(command: str) -> None:
    facts = {"account": "1", "region": "r", "partition": "aws", "bucket": "b", "profile": "p", "version": "v"}
    assert dependent(command, facts) <= {(one.action, one.pattern) for one in grants(command, facts)}


def test_a_run_that_would_overwrite_is_not_allowed(account: Account) -> None:
    """The condition on If-None-Match does something."""
    held = grants("sign", account.facts)
    key = f"arn:aws:s3:::{account.facts['bucket']}/unsigned/a.zip"
    assert _allowed(Need("s3:PutObject", key, "s3:PutObject", {"IfNoneMatch": "*"}), held, account.facts)
    assert not _allowed(Need("s3:PutObject", key, "s3:PutObject", {}), held, account.facts)


def test_every_row_of_the_table_is_a_call_that_botocore_knows() -> None:
    """And has a source on AWS's own pages; `when` names a parameter of the call."""
    session = botocore.session.get_session()
    for row in TABLE["call"]:
        service, _, operation = row["call"].partition(":")
        model = session.get_service_model(service).operation_model(operation)
        assert row["source"].startswith("https://docs.aws.amazon.com/"), row
        if "when" in row:
            assert row["when"].split()[1] in model.input_shape.members, row
        named = {part.partition("}")[0] for part in row["resource"].split("{")[1:]} - {
            "partition",
            "region",
            "account",
            "application",
            "issuer",
        }
        assert named <= set(model.input_shape.members), row
    for row in TABLE["dependent"]:
        assert row["source"].startswith("https://docs.aws.amazon.com/"), row
        assert isinstance(row["confirmed"], bool), row


def test_every_policy_is_one_of_the_commands() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(COMMANDS)
