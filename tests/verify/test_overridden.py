"""What somebody answered for is said by every verification until the same bytes have passed; an override that does not hold is a break."""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shipsafe.errors import ExitCode
from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.signing_record import signing_record
from shipsafe.evidence.store import open_store
from shipsafe.flows.break_glass import going_on
from shipsafe.flows.sign_evidence import keep
from shipsafe.model.attestation import Envelope, Predicate, Resource, Statement
from shipsafe.model.chain import Hold, Link, Verification
from shipsafe.verify import VerifyRequest, links, open_request, verify_release
from shipsafe.verify.kept import verify_kept
from shipsafe.verify.proof import prove
from shipsafe.verify.stated_links import stated_links
from tests.flows.emergency import ASKED, BUILDER, NOW, POLICY, SIGNER, TRUSTED, Shop, overridden, read
from tests.flows.evidence_shop import SIGNED
from tests.tampering.envelopes import Key

TARGET = '\n[[sign.target]]\nname = "prod"\nprofile = "pay_2026"\nbucket = "bucket"\nregion = "eu-central-1"\naccount = "123456789012"\n'
EMERGENCY = '\n[break-glass]\nprofile = "orders_2026"\n'  # the one that `SIGNED` names
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Built once under an override."""
    return overridden(tmp_path_factory.mktemp("made"))


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    shutil.copytree(made.root, tmp_path / "shop")
    return Shop(tmp_path / "shop")


def request_of(shop: Shop, *, now: datetime = NOW) -> VerifyRequest:
    with open_request(policy=shop.root / "shipsafe.toml", now=lambda: now) as request:
        return request


def verdict(found: Verification, subject: str = "function:Pay") -> Link:
    chain = next(one for one in found.chains if one.subject.startswith(subject))
    return next(one for one in chain.links if one.id == links.VERDICT)


def test_it_is_said_and_not_passed_also_after_its_time(made: Shop) -> None:
    for now in (NOW, NOW + timedelta(days=3)):
        found = verify_release(made.dist, request_of(made, now=now))
        link = verdict(found)
        assert (found.exit_code, found.verdict, link.hold) == (ExitCode.FINDINGS, "OVERRIDDEN", Hold.DISALLOWED)
        assert link.sentence.startswith("OVERRIDDEN, and not passed. Overridden by jo@acme.example and sam@acme.example (signed by oncall)")
        assert any(note.startswith("lint/B602 at function:Pay") for note in link.notes)
        assert verdict(found, "function:Stock").hold is Hold.DISALLOWED  # of its release, although nothing is wrong with it alone


def test_whoever_goes_on_with_this_very_override_is_let_through_and_told(made: Shop) -> None:
    override = going_on(made.release, made.policy(), ASKED, NOW)
    assert override is not None
    found = verify_release(made.dist, replace(request_of(made), override=override))
    assert (found.exit_code, found.verdict) == (ExitCode.PASS, "OVERRIDDEN")
    assert verdict(found).sentence.startswith("OVERRIDDEN, and not passed.")
    other = replace(request_of(made), override=replace(override, statement="0" * 64))
    assert verify_release(made.dist, other).exit_code is ExitCode.FINDINGS


def test_a_verifier_whose_policy_does_not_trust_them_finds_it_broken(shop: Shop) -> None:
    for policy in (POLICY + BUILDER.table("builder"), POLICY + TRUSTED + "\n[break-glass]\nallowed = false\n"):
        shop.allow(policy)
        found = verify_release(shop.dist, request_of(shop))
        link = verdict(found)
        assert (found.verdict, link.hold) == ("BROKEN", Hold.BROKEN)
        assert "The override lets nothing through" in link.sentence


def envelope(statement: Statement, *keys: Key) -> Envelope:
    return read_envelope(written(statement, [FileSigner(one.private) for one in keys]), shown="test")


def signed(shop: Shop, at: datetime) -> Statement:
    """A signing record of Pay: `SIGNED` is by profile orders_2026."""
    pay = shop.release.artifacts[0]
    one = replace(SIGNED, artifact="Pay", unsigned_sha256=pay.sha256, sha256="bb" * 32, signed_at=at, expires=at + timedelta(days=4000),
                  code_sha256="u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s=", root="c" * 64)  # fmt: skip
    return signing_record(one, zipped=Resource(name="Pay.zip", digests={"sha256": pay.sha256}), claims=(), vouched_by=())


def stated(shop: Shop, *more: Envelope, leave: Predicate | None = None) -> Link:
    """The verdict from evidence alone, of the zip that was signed."""
    request = request_of(shop)
    envelopes = [*(one for one in shop.envelopes() if read(one).kind != leave), *more]
    proof = prove(envelopes, "bb" * 32 if more else shop.release.artifacts[0].sha256, request.policy.attest, NOW.date(), "test")
    found = stated_links(proof, "function:Pay", request, None, "test")
    return next(one for one in found if one.id == links.VERDICT)


def test_without_the_override_what_did_not_pass_is_broken(made: Shop) -> None:
    link = stated(made, leave=Predicate.OVERRIDE)
    assert (link.hold, link.sentence) == (Hold.BROKEN, "Its gates did not let it pass, and no override that counts lets it through.")


@pytest.mark.parametrize(
    ("later", "hold"), [(HOUR, Hold.DISALLOWED), (-HOUR, Hold.BROKEN), (timedelta(hours=24), Hold.BROKEN), (timedelta(days=9), Hold.BROKEN)]
)
def test_what_was_signed_in_another_time_it_does_not_let_through(made: Shop, later: timedelta, hold: Hold) -> None:
    assert stated(made, envelope(signed(made, NOW + later), SIGNER)).hold is hold


def passed(one: Statement, *, asked_by: str) -> Statement:
    """The same answers, of a run that let them pass."""
    said = {name: value for name, value in one.predicate.items() if name != "override"}
    outcomes = [{**outcome, "findings": []} for outcome in said["outcomes"]]
    return replace(one, predicate={**said, "decision": "PASS", "askedBy": asked_by, "outcomes": outcomes})


def test_a_signer_s_pass_does_not_hide_what_the_builder_built_under_one(made: Shop) -> None:
    (gates,) = made.statements(Predicate.GATES)
    again = envelope(passed(gates, asked_by="signer"), SIGNER)
    assert stated(made, envelope(signed(made, NOW + HOUR), SIGNER), again).sentence.startswith("OVERRIDDEN")


def test_bytes_that_have_passed_since_are_clean_whatever_order_a_store_has(made: Shop, tmp_path: Path) -> None:
    """The morning after: the same commit is built again, with the feed up; the store holds both for ever."""
    store = open_store(str(tmp_path / "evidence"), home=tmp_path)
    keep(made.release, store)
    request = request_of(made)
    assert verdict(verify_kept(store, request)).hold is Hold.DISALLOWED
    for name in ("Pay", "Stock"):
        (gates,) = made.statements(Predicate.GATES, name)
        store.keep(envelope(passed(gates, asked_by="builder"), BUILDER), passed(gates, asked_by="builder"))
    found = verify_kept(store, request)
    assert (found.exit_code, found.verdict) == (ExitCode.PASS, "PASS")
    assert any("they have passed their gates since" in note for note in verdict(found).notes)


def test_the_profile_of_emergencies_is_trusted_under_an_override_and_for_nothing_else(shop: Shop) -> None:
    shop.allow(POLICY + TRUSTED + TARGET + EMERGENCY)
    record = envelope(signed(shop, NOW + HOUR), SIGNER)
    assert stated(shop, record).sentence.startswith("OVERRIDDEN")
    (gates,) = shop.statements(Predicate.GATES)
    link = stated(shop, record, envelope(passed(gates, asked_by="builder"), BUILDER))
    assert (link.hold, "keeps for emergencies" in link.sentence) == (Hold.DISALLOWED, True)
