"""Functions as they run, against what was signed: the whole chain, and each way in which code is not what it should be."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from shipsafe.errors import ConfigError
from shipsafe.model.chain import Hold
from tests.evidence.speakers import key, trusted_key
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.zips import zip_bytes
from tests.verify.live_world import CODE, ROLE, World, broken, code_of, make_configuration, the, told

OTHER = {"app.py": CODE + b"import os\n"}


def test_a_function_that_runs_what_was_signed_holds(orders: World) -> None:
    found = orders.verify("orders:live")
    assert found.exit_code == 0, told(found)
    assert [chain.subject for chain in found.chains] == ["function:orders:live"]
    held = {link.id for link in found.chains[0].links if link.hold is Hold.HELD}
    assert held >= {"code-sha256", "provenance", "gates", "signing-record", "function-signature", "signing-job", "signing-profile",
                    "code-signing-config", "publishers", "sharing", "layers", "configuration", "alias"}  # fmt: skip


def test_a_bare_name_means_latest_and_every_alias(orders: World) -> None:
    found = orders.verify("orders")
    assert found.exit_code == 0, told(found)
    assert [chain.subject for chain in found.chains] == ["function:orders:$LATEST", "function:orders:live"]
    assert "which changes with every update" in the(found.chains[0], "state").notes[0]


@pytest.mark.parametrize("name", ["orders:1", "orders:$LATEST", "arn:aws:lambda:eu-west-1:123456789012:function:orders:live"])
def test_a_version_and_an_arn_are_names_too(orders: World, name: str) -> None:
    found = orders.verify(name)
    assert found.exit_code == 0, told(found)


def test_code_that_was_updated_behind_our_back_is_broken(orders: World) -> None:
    """It is properly signed: by our own profile, and by nobody who left a record."""
    strange = orders.site.run(orders.site.unsigned("strange", zip_bytes(OTHER))).signed[0]
    orders.lambda_.update_function_code(FunctionName="orders", **code_of(strange))
    found = orders.verify("orders:$LATEST", artifacts={"orders": "Orders"})
    assert broken(found) == ("code-sha256", 5)
    link = the(found.chains[0], "code-sha256")
    assert link.sentence == "orders:$LATEST runs code that no signing record names."
    assert link.found == strange.code_sha256
    assert link.expected == orders.done["Orders"].code_sha256
    assert the(found.chains[0], "provenance").hold is Hold.NOT_ASKED


def test_a_published_version_does_not_mind_what_becomes_of_latest(orders: World) -> None:
    strange = orders.site.run(orders.site.unsigned("strange", zip_bytes(OTHER))).signed[0]
    orders.lambda_.update_function_code(FunctionName="orders", **code_of(strange))
    assert orders.verify("orders:live").exit_code == 0
    assert broken(orders.verify("orders")) == ("code-sha256", 5)


def test_the_unsigned_zip_is_not_what_was_signed(world: World) -> None:
    files = {"app.py": CODE}
    world.signed("Orders", files)
    world.lambda_.create_function(
        FunctionName="orders", Runtime="python3.13", Handler="app.handler", Role=ROLE, Code={"ZipFile": zip_bytes(files)}
    )
    found = world.verify("orders:$LATEST")
    assert broken(found) == ("code-sha256", 5)
    assert the(found.chains[0], "code-sha256").sentence == "orders:$LATEST runs a zip as it was built, which nobody signed."
    assert the(found.chains[0], "function-signature").hold is Hold.BROKEN


def test_a_function_that_runs_what_another_is_to_run_is_broken(world: World) -> None:
    """Both are signed by the same profile, so that no code-signing configuration would mind."""
    world.signed("Orders", {"app.py": CODE})
    world.deploy("orders", world.signed("Billing", OTHER))
    found = world.verify("orders:$LATEST", artifacts={"orders": "Orders"})
    assert broken(found) == ("code-sha256", 5)
    assert "runs what was signed as Billing" in the(found.chains[0], "code-sha256").sentence
    assert world.verify("orders:$LATEST").exit_code == 0
    assert "nobody said which artifact" in the(world.verify("orders:$LATEST").chains[0], "code-sha256").notes[0]


def test_a_record_that_nobody_we_trust_has_signed_does_not_count(orders: World) -> None:
    """A forger has our profile for a moment and writes a whole bundle; only the keys are his own."""
    strangers = tuple(trusted_key(key(f"other {one.name}"), one.name, roles=one.roles) for one in orders.attest.keys)
    orders.attest = type(orders.attest)(unsigned_allowed=False, keys=strangers)
    found = orders.verify("orders:live")
    assert broken(found) == ("code-sha256", 5)
    sentence = the(found.chains[0], "code-sha256").sentence
    assert sentence.startswith("No signing record that counts names the code that orders:1 runs: No key that the policy trusts")


def test_a_key_that_has_expired_since_it_signed_still_counts(orders: World) -> None:
    """The day that counts is the one on which Signer says that the job was started."""
    day = orders.done["Orders"].signed_at.date()
    keys = tuple(trusted_key(key(one.name), one.name, roles=one.roles, ends=day) for one in orders.attest.keys)
    orders.attest = type(orders.attest)(unsigned_allowed=False, keys=keys)
    orders.endpoint.advance(timedelta(days=40))
    found = orders.verify("orders:live")
    assert found.exit_code == 0, told(found)
    orders.refuse("DescribeSigningJob", service="signer")
    orders.opened.clear()
    assert broken(orders.verify("orders:live")) == ("signing-job", 4)


def test_a_key_that_had_expired_when_it_signed_does_not_count(orders: World) -> None:
    before = orders.done["Orders"].signed_at.date() - timedelta(days=1)
    keys = tuple(trusted_key(key(one.name), one.name, roles=one.roles, ends=before) for one in orders.attest.keys)
    orders.attest = type(orders.attest)(unsigned_allowed=False, keys=keys)
    assert broken(orders.verify("orders:live"))[1] == 5


def test_code_that_was_signed_for_another_region_is_broken(world: World) -> None:
    one = world.signed("Orders", {"app.py": CODE})
    world.evidence.pop()
    world.record(replace(one, region="eu-central-1"))
    world.deploy("orders", one)
    found = world.verify("orders:$LATEST")
    assert broken(found) == ("code-sha256", 5)
    link = the(found.chains[0], "code-sha256")
    assert (link.expected, link.found) == ("account 123456789012, eu-west-1", "account 123456789012, eu-central-1")


def test_an_image_is_not_covered(world: World) -> None:
    digest = hashlib.sha256(b"image").hexdigest()
    uri = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:{digest}"
    world.lambda_.create_function(FunctionName="image", Role=ROLE, PackageType="Image", Code={"ImageUri": uri})
    found = world.verify("image")
    assert broken(found) == ("code-sha256", 4)
    assert "runs a container image" in the(found.chains[0], "code-sha256").sentence


def test_a_function_that_is_not_there_could_not_be_looked_at(world: World) -> None:
    found = world.verify("orders", "orders:1", "orders:live")
    assert found.exit_code == 4
    assert [chain.exit_code for chain in found.chains] == [4, 4, 4]
    assert "There is no function orders:$LATEST in account 123456789012, eu-west-1" in the(found.chains[0], "code-sha256").sentence


def test_an_update_that_is_under_way_is_not_passed_over(orders: World) -> None:
    orders.endpoint.functions.configure({"updating": 3600})
    orders.lambda_.update_function_configuration(FunctionName="orders", Description="new")
    found = orders.verify("orders:$LATEST")
    assert broken(found) == ("state", 4)


def test_a_failed_update_is_not_passed_over(orders: World) -> None:
    orders.endpoint.functions.fail_next(ACCOUNT, REGION, "orders", code="InternalError", reason="It did.")
    orders.lambda_.update_function_configuration(FunctionName="orders", Description="new")
    assert broken(orders.verify("orders:$LATEST")) == ("state", 4)


@pytest.mark.parametrize("setting", [{"Runtime": "python3.12"}, {"Handler": "app.other"}])
def test_settings_that_were_changed_behind_our_back_are_broken(orders: World, setting: dict[str, str]) -> None:
    orders.lambda_.update_function_configuration(FunctionName="orders", **setting)
    found = orders.verify("orders:$LATEST")
    assert broken(found) == ("configuration", 5)
    assert next(iter(setting.values())) in the(found.chains[0], "configuration").found


def test_another_architecture_is_broken(world: World) -> None:
    world.deploy("orders", world.signed("Orders", {"app.py": CODE}), Architectures=["arm64"])
    found = world.verify("orders:$LATEST")
    assert broken(found) == ("configuration", 5)
    link = the(found.chains[0], "configuration")
    assert (link.expected, link.found) == ("x86_64", "arm64")


def test_a_handler_that_nobody_said_is_not_taken_as_it_is(world: World) -> None:
    world.deploy("orders", world.signed("Orders", {"app.py": CODE}, handler=None))
    assert broken(world.verify("orders:$LATEST")) == ("configuration", 4)


def test_nothing_to_verify_is_an_error(world: World) -> None:
    with pytest.raises(ConfigError, match="No function is named"):
        world.verify()
    with pytest.raises(ConfigError, match="cannot be the name of a function"):
        world.verify("no/name")


def test_a_digest_is_read_as_lambda_writes_it(orders: World) -> None:
    one = orders.done["Orders"]
    assert base64.b64decode(one.code_sha256).hex() == one.sha256
    assert the(orders.verify("orders:live").chains[0], "code-sha256").sentence.endswith(f"CodeSha256 {one.code_sha256}.")


def test_code_that_stays_in_a_bucket_is_noted(world: World) -> None:
    one = world.signed("Orders", {"app.py": CODE})
    code = {**code_of(one), "S3ObjectStorageMode": "REFERENCE"}
    world.lambda_.create_function(FunctionName="orders", Runtime="python3.13", Handler="app.handler", Role=ROLE, Code=code,
                                  CodeSigningConfigArn=make_configuration([world.profile]))  # fmt: skip
    found = world.verify("orders:$LATEST")
    assert found.exit_code == 0, told(found)
    assert the(found.chains[0], "state").notes[0].startswith("The code stays in s3://")
