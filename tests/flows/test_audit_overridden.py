"""An audit lists who let what through, and what was deployed under it; an override that does not count tells nothing."""

import csv
import io
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from shipsafe.errors import ExitCode
from shipsafe.evidence.deployment_record import deployment_statement
from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.provenance import resource
from shipsafe.evidence.store import Store, open_store
from shipsafe.flows.audit import AuditRequest, audit
from shipsafe.flows.break_glass import carried
from shipsafe.flows.sign_evidence import keep
from shipsafe.model.attestation import Resource
from shipsafe.model.audit import Audit, Standing
from shipsafe.model.deployment import Deployment, Ending
from shipsafe.reports.audit import markdown, text_lines
from shipsafe.reports.audit_data import as_csv, as_json, schema
from tests.flows.emergency import BUILDER, NOW, ON_CALL, POLICY, TRUSTED, Shop, overridden
from tests.tampering.envelopes import Key


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Built once under an override."""
    return overridden(tmp_path_factory.mktemp("made"))


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    shutil.copytree(made.root, tmp_path / "shop")
    return Shop(tmp_path / "shop")


def store_of(shop: Shop) -> Store:
    return open_store(str(shop.root / "evidence"), home=shop.root)


def audited(shop: Shop) -> Audit:
    policy = shop.policy()
    return audit(AuditRequest(policy=policy, folder=shop.root, today=NOW.date(), place=str(shop.root / "evidence")))


def deployed(shop: Shop, *keys: Key) -> None:
    """What Pay's deployment is recorded as, in the store."""
    pay = shop.release.artifacts[0]
    one = Deployment(
        artifact="Pay", function="pay-prod", account="123456789012", region="eu-central-1", ending=Ending.ROLLED_BACK, version="7",
        alias="live", unsigned_sha256=pay.sha256, sha256="b" * 64, began=NOW, ended=NOW + timedelta(minutes=5), reason="An alarm.",
    )  # fmt: skip
    told = carried(shop.release, shop.policy()).told
    statement = deployment_statement(one, unsigned=resource(shop.release.document["artifacts"][0]), run="r", stage="prod", override=told,
                                     signed=Resource(name="s3://b/k", digests={"sha256": "b" * 64}))  # fmt: skip
    store_of(shop).keep(read_envelope(written(statement, [FileSigner(one.private) for one in keys]), shown="test"), statement)


def test_who_let_what_through_is_told_in_every_form(shop: Shop) -> None:
    keep(shop.release, store_of(shop))
    deployed(shop)
    found = audited(shop)
    assert found.exit_code is ExitCode.PASS
    pay = next(one for one in found.releases if one.name == "Pay")
    (override,) = pay.overridden
    assert (override.reason, override.vouched_by, len(override.over)) == ("The shop is down", ("oncall",), 1)
    assert [one.overridden for one in found.releases if one.name == "Stock"] == [(override,)], "it is of the whole release"
    lines = "\n".join(text_lines(found))
    assert "  override  Overridden by jo@acme.example and sam@acme.example (signed by oncall)" in lines
    place = "pay-prod, version 7, alias live, 123456789012, eu-central-1, 2026-11-21T03:05:05Z"
    assert f"  deployed  {place}, stage prod, rolled-back, OVERRIDDEN: The shop is down" in lines
    assert "### Overridden" in markdown(found)
    document = json.loads(as_json(found))
    told = next(one for one in document["releases"] if one["name"] == "Pay")
    assert (told["overridden"][0]["second"], told["deployed"][0]["override"]) == ("sam@acme.example", "The shop is down")
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert all("The shop is down" in one["overridden"] for one in rows)

    import jsonschema_rs  # noqa: PLC0415 - only here

    assert jsonschema_rs.validator_for(json.loads(schema())).is_valid(document)


@pytest.mark.parametrize("policy", [POLICY + BUILDER.table("builder"), POLICY + TRUSTED + "\n[break-glass]\nallowed = false\n"])
def test_an_override_that_does_not_count_tells_nothing(shop: Shop, policy: str) -> None:
    keep(shop.release, store_of(shop))
    shop.allow(policy)
    found = audited(shop)
    assert found.exit_code is ExitCode.INTEGRITY
    assert not [one for release in found.releases for one in release.overridden]
    refused = [one for release in found.releases for one in release.statements if one.kind == "override"]
    assert {one.standing for one in refused} == {Standing.REFUSED}
    assert all(one.problem.startswith("The override lets nothing through") for one in refused)


def test_a_deployer_s_key_is_asked_on_the_day_of_the_deployment(shop: Shop) -> None:
    """Not on the day on which the zip was signed: a key may be younger than that."""
    keep(shop.release, store_of(shop))
    young = Key("deploys", ON_CALL.private)
    table = young.table("deployer", more="from = 2026-11-21\n")
    shop.allow(POLICY + BUILDER.table("builder") + table.replace('["deployer"]', '["deployer", "overrider"]'))
    deployed(shop, young)
    pay = next(one for one in audited(shop).releases if one.name == "Pay")
    assert [one.function for one in pay.deployed] == ["pay-prod"]
