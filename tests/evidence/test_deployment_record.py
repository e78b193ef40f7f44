"""The deployment record says what went live where, in the published shape, and is read back as the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.evidence.deployment_record import deployment_statement, read_deployment
from shipsafe.evidence.facts import deployed
from shipsafe.evidence.predicates import check
from shipsafe.evidence.trust import role_of
from shipsafe.model.attestation import Predicate, Resource, Role, Statement
from shipsafe.model.chain import Chain, Hold, Link
from shipsafe.model.deployment import Deployment, Ending, Rollout, Shift, Strategy

BEGAN = datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=1)))
ENDED = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
UNSIGNED, SIGNED = (Resource(name=name, digests={"sha256": name[0] * 64}) for name in ("a.zip", "b.zip"))
CHAIN = Chain(subject="orders:7", links=(Link(id="code", hold=Hold.HELD, sentence="It runs Orders."),))
DEPLOYED = Deployment(
    artifact="Orders", function="orders-prod", account="111122223333", region="eu-central-1", ending=Ending.DEPLOYED, version="7",
    before="6", alias="live", unsigned_sha256="a" * 64, sha256="b" * 64, code_sha256="u7s=", began=BEGAN, ended=ENDED, revision="r1",
    strategy=Strategy(rollout=Rollout.CANARY), shifts=(Shift(at=BEGAN, percent=10), Shift(at=ENDED, percent=100)),
)  # fmt: skip


def stated(one: Deployment = DEPLOYED) -> Statement:
    return deployment_statement(one, unsigned=UNSIGNED, signed=SIGNED, run="r-1", stage="prod", verified=CHAIN)


def test_it_has_the_published_shape_and_is_a_deployers_word() -> None:
    made = stated()
    check(made.kind, made.predicate, shown="Orders.intoto.jsonl")
    assert (made.kind, role_of(made), made.subjects) == (Predicate.DEPLOYMENT, Role.DEPLOYER, (UNSIGNED, SIGNED))
    assert made.predicate["strategy"] == {"rollout": "canary", "percent": 10, "every": 300.0}
    assert made.predicate["shifts"][0] == {"at": "2026-11-21T09:00:00Z", "percent": 10}
    assert made.predicate["verified"] == [{"link": "code", "hold": "held"}]


def test_it_is_read_back_and_audits_find_what_they_list() -> None:
    said = read_deployment(stated(), shown="x")
    assert (said.function, said.alias, said.version, said.before, said.stage) == ("orders-prod", "live", "7", "6", "prod")
    assert (said.began, said.at, said.ran) == (BEGAN, ENDED, True)
    assert (said.unsigned_sha256, said.sha256) == ("a" * 64, "b" * 64)
    listed = deployed(stated())
    assert (listed.function, listed.version, listed.alias, listed.at) == ("orders-prod", "7", "live", "2026-11-21T09:05:00Z")


@pytest.mark.parametrize("ending", [Ending.ROLLED_BACK, Ending.UNFINISHED])
def test_one_that_went_back_is_written_down_and_did_not_run(ending: Ending) -> None:
    assert not read_deployment(stated(replace(DEPLOYED, ending=ending, reason="An alarm.")), shown="x").ran


@pytest.mark.parametrize("one", [replace(DEPLOYED, ending=Ending.REFUSED), replace(DEPLOYED, ended=None), replace(DEPLOYED, began=None)])
def test_what_changed_nothing_or_has_no_time_has_no_record(one: Deployment) -> None:
    with pytest.raises(IntegrityError, match="No record"):
        stated(one)


@pytest.mark.parametrize(
    ("name", "value"), [("ending", "refused"), ("account", "12"), ("deployedAt", "2026-02-31T00:00:00Z"), ("shifts", 1)]
)
def test_what_is_not_of_the_shape_is_no_record(name: str, value: object) -> None:
    made = stated()
    with pytest.raises(IntegrityError):
        read_deployment(replace(made, predicate={**made.predicate, name: value}), shown="x")


def test_one_about_a_single_zip_joins_nothing() -> None:
    with pytest.raises(IntegrityError, match="an unsigned and a signed zip"):
        read_deployment(replace(stated(), subjects=(SIGNED,)), shown="x")
