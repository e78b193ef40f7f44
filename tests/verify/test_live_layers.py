"""Layers of a function: unsigned, foreign, re-published, deleted, added, taken off, out of reach."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shipsafe.model.chain import Hold
from tests.local_endpoint import client
from tests.signing.place import make_profile
from tests.signing.zips import zip_bytes
from tests.verify.live_world import CODE, World, broken, code_of, make_configuration, the, told

SHARED = {"python/shared.py": b"SHARED = 1\n"}
LOCAL = {"text": "!Ref Shared", "arn": None, "version": None, "local": "Shared", "changeable": "", "unresolved": ""}
STRANGER = "210987654321"


def _ref(arn: str) -> dict[str, object]:
    return {"text": arn, "arn": arn, "version": int(arn.rpartition(":")[2]), "local": None, "changeable": "", "unresolved": ""}


@pytest.fixture
def layered(world: World) -> World:
    """`orders` with the layer `shared` of the same project."""
    shared = world.signed("Shared", SHARED, subject="layer:Shared", runtimes=["python3.13"], handler=None)
    one = world.signed("Orders", {"app.py": CODE}, layers=[LOCAL])
    world.deploy("orders", one, Layers=[world.layer("shared", shared)])
    world.publish("orders")
    world.lambda_.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    return world


def _attach(world: World, *arns: str) -> None:
    """Past the configuration, as somebody would who can take it off."""
    world.lambda_.delete_function_code_signing_config(FunctionName="orders")
    world.lambda_.update_function_configuration(FunctionName="orders", Layers=list(arns))
    world.lambda_.put_function_code_signing_config(FunctionName="orders", CodeSigningConfigArn=world.configuration)


def _attached(world: World) -> list[str]:
    return [one["Arn"] for one in world.lambda_.get_function_configuration(FunctionName="orders")["Layers"]]


def test_a_layer_of_the_project_holds_and_has_a_chain_of_its_own(layered: World) -> None:
    found = layered.verify("orders:live")
    assert found.exit_code == 0, told(found)
    assert [chain.subject for chain in found.chains] == ["function:orders:live", f"layer:{_attached(layered)[0]}"]
    assert the(found.chains[1], "layer-signature").hold is Hold.HELD
    assert the(found.chains[1], "verdict").hold is Hold.HELD


def test_two_functions_share_the_chain_of_a_layer(layered: World) -> None:
    found = layered.verify("orders")
    assert [chain.subject for chain in found.chains] == [
        "function:orders:$LATEST",
        "function:orders:live",
        f"layer:{_attached(layered)[0]}",
    ]


def test_a_revoked_job_of_a_layer_breaks_its_chain(layered: World) -> None:
    layered.signer.revoke_signature(jobId=layered.done["Shared"].job.rpartition("/")[2], reason="leaked")
    assert broken(layered.verify("orders:live")) == ("signing-job", 5)


def test_an_unsigned_layer_is_broken(layered: World) -> None:
    arn = layered.layer("shared", ZipFile=zip_bytes(SHARED))
    _attach(layered, arn)
    found = layered.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    link = the(found.chains[0], "layers")
    assert link.sentence == f"Layer {arn} has no signature that holds."
    assert any("does not hold what was signed as layer Shared" in note for note in link.notes)


def test_a_layer_that_was_re_published_with_other_code_is_broken_though_we_signed_it(layered: World) -> None:
    other = layered.site.run(layered.site.unsigned("other", zip_bytes({"python/shared.py": b"SHARED = 2\n"}))).signed[0]
    _attach(layered, layered.layer("shared", other))
    found = layered.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    link = the(found.chains[0], "layers")
    assert "does not hold what was signed as layer Shared" in link.sentence
    assert link.found == f"CodeSha256 {other.code_sha256}"


def test_the_same_code_published_once_more_is_the_same_layer(layered: World) -> None:
    """Nobody said under which ARN a layer of the project would be published: its digest says what it is."""
    _attach(layered, layered.layer("shared", layered.done["Shared"]))
    assert layered.verify("orders:$LATEST").exit_code == 0


def test_a_layer_signed_by_a_profile_that_is_not_trusted_is_broken(layered: World) -> None:
    make_profile("theirs")
    target = replace(layered.targets[0], name="theirs", profile="theirs")
    other = layered.site.run(layered.site.unsigned("other", zip_bytes(SHARED)), targets=(target,)).signed[0]
    _attach(layered, layered.layer("shared", other))
    found = layered.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    assert "is signed by a profile that the policy does not trust" in the(found.chains[0], "layers").sentence


def test_a_deleted_layer_is_broken(layered: World) -> None:
    arn = _attached(layered)[0]
    layered.lambda_.delete_layer_version(LayerName="shared", VersionNumber=1)
    found = layered.verify("orders:live")
    assert broken(found) == ("layers", 5)
    assert the(found.chains[0], "layers").sentence.startswith(f"Layer {arn} was deleted")


def test_a_layer_that_may_not_be_read_is_unanswered(layered: World) -> None:
    layered.refuse("GetLayerVersionByArn")
    found = layered.verify("orders:live")
    assert broken(found) == ("layers", 4)
    assert "the right lambda:GetLayerVersion;" in the(found.chains[0], "layers").remedy


def test_a_layer_that_was_taken_off_is_broken(layered: World) -> None:
    _attach(layered)
    found = layered.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    assert the(found.chains[0], "layers").sentence == "A layer of the function was taken off."


def test_a_layer_that_was_added_is_broken(layered: World) -> None:
    other = layered.signed("Other", {"python/other.py": b"1\n"}, subject="layer:Other", handler=None)
    _attach(layered, *_attached(layered), layered.layer("other", other))
    found = layered.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    assert the(found.chains[0], "layers").sentence == "The function has a layer that it was not built with."


def test_another_layer_of_the_project_in_its_place_is_broken(layered: World) -> None:
    other = layered.signed("Other", {"python/other.py": b"1\n"}, subject="layer:Other", handler=None)
    _attach(layered, layered.layer("other", other))
    found = layered.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    link = the(found.chains[0], "layers")
    assert (link.expected, link.found) == ("layer:Shared", "layer:Other")


def test_the_layer_of_another_account_is_known_by_its_arn(world: World) -> None:
    """Their profile is one of `publishers`; another version of their layer was not what was built with."""
    theirs = make_profile("theirs", account=STRANGER)
    arns = [_theirs(world, number) for number in range(2)]
    world.publishers = (_version(theirs),)
    world.configuration = make_configuration([world.profile, theirs])
    world.deploy("orders", world.signed("Orders", {"app.py": CODE}, layers=[_ref(arns[0])]), Layers=[arns[0]])
    found = world.verify("orders:$LATEST")
    assert found.exit_code == 0, told(found)
    _attach(world, arns[1])
    found = world.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    link = the(found.chains[0], "layers")
    assert (link.expected, link.found) == (arns[0], arns[1])


@pytest.fixture
def pinned(world: World) -> World:
    """`orders` with a layer of the same account that is none of the project's: it is known by its ARN."""
    world.configuration = make_configuration([world.profile, make_profile("platform")])
    world.targets = (*world.targets, replace(world.targets[0], name="platform", profile="platform"))
    data = zip_bytes({"python/metrics.py": b"1\n"})
    world.done["metrics"] = world.site.run(world.site.unsigned("metrics", data), targets=world.targets[1:]).signed[0]
    arn = world.layer("metrics", world.done["metrics"])
    world.deploy("orders", world.signed("Orders", {"app.py": CODE}, layers=[_ref(arn)]), Layers=[arn])
    found = world.verify("orders:$LATEST")
    assert found.exit_code == 0, told(found)
    return world


def test_a_layer_that_is_known_by_its_arn_is_broken_once_its_job_is_revoked(pinned: World) -> None:
    """Lambda looked when it was attached, and goes on running it."""
    pinned.signer.revoke_signature(jobId=pinned.done["metrics"].job.rpartition("/")[2], reason="leaked")
    found = pinned.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    assert ": the signature of job " in the(found.chains[0], "layers").sentence


def test_a_layer_that_is_known_by_its_arn_is_broken_once_its_profile_is_revoked(pinned: World) -> None:
    version = pinned.done["metrics"].profile_version.rpartition("/")[2]
    since = pinned.site.now() - timedelta(days=1)
    pinned.signer.revoke_signing_profile(profileName="platform", profileVersion=version, reason="leaked", effectiveTime=since)
    found = pinned.verify("orders:$LATEST")
    assert broken(found) == ("layers", 5)
    assert "Signing profile platform was revoked" in the(found.chains[0], "layers").sentence


def test_whether_such_a_layer_was_revoked_is_unanswered_where_signer_does_not_say(pinned: World) -> None:
    pinned.refuse("GetSigningProfile", service="signer")
    assert the(pinned.verify("orders:$LATEST").chains[0], "layers").hold is Hold.UNANSWERED


def test_layers_in_another_order_are_broken(layered: World) -> None:
    other = layered.signed("Other", {"python/other.py": b"1\n"}, subject="layer:Other", handler=None)
    second = {**LOCAL, "local": "Other", "text": "!Ref Other"}
    arns = [*_attached(layered), layered.layer("other", other)]
    layered.deploy("two", layered.signed("Two", {"app.py": CODE + b"\n"}, layers=[LOCAL, second]), Layers=arns)
    assert layered.verify("two:$LATEST").exit_code == 0
    layered.lambda_.update_function_configuration(FunctionName="two", Layers=arns[::-1])
    assert broken(layered.verify("two:$LATEST")) == ("layers", 5)


def _version(arn: str) -> object:
    from shipsafe.model.signing import ProfileVersion  # noqa: PLC0415

    return ProfileVersion.parse(arn)


def _theirs(world: World, number: int) -> str:
    """Publish a layer in the stranger's account, signed by the stranger's profile."""
    target = replace(world.targets[0], profile="theirs", profile_owner=STRANGER)
    signer = client("signer", account=STRANGER)
    for place, action in enumerate(("signer:StartSigningJob", "signer:GetSigningProfile")):
        if number == 0:
            signer.add_profile_permission(profileName="theirs", action=action, principal="123456789012", statementId=f"s{place}")
    data = zip_bytes({"python/tracing.py": b"%d\n" % number})
    one = world.site.run(world.site.unsigned(f"tracing{number}", data), targets=(target,)).signed[0]
    aws = client("lambda", account=STRANGER)
    told_ = aws.publish_layer_version(LayerName="tracing", Content=code_of(one))
    aws.add_layer_version_permission(LayerName="tracing", VersionNumber=told_["Version"], StatementId="all",
                                     Action="lambda:GetLayerVersion", Principal="*")  # fmt: skip
    return str(told_["LayerVersionArn"])
