"""An override is of exactly these zips, by whom the policy trusts, for a day, and is never taken over without being asked for again."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.evidence.envelope import written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.override_record import agreed
from shipsafe.flows.break_glass import going_on, not_let_through, refuse_unless_allowed, under_override, words
from shipsafe.flows.build import build
from shipsafe.flows.request import Request
from shipsafe.flows.vouching import builder_words
from shipsafe.judge import judge, overridden
from shipsafe.model.attestation import Envelope, Predicate, Statement
from shipsafe.model.finding import Finding
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.override import BreakGlass
from shipsafe.model.severity import Severity
from shipsafe.model.signing import SignTarget
from shipsafe.model.verdict import Decision
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.release import laid_bundle, read_release, record_signatures
from shipsafe.reports.live import silent_progress
from tests.flows.emergency import ASKED, BUILDER, FINE, NOW, ON_CALL, POLICY, SECOND, TRUSTED, Shop, make_shop, read
from tests.flows.emergency import overridden as build_overridden
from tests.tampering.envelopes import Key

Change = Callable[[Statement], Statement]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A release under an override, built once; tests work on copies of it."""
    return build_overridden(tmp_path_factory.mktemp("made"))


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    shutil.copytree(made.root, tmp_path / "shop")
    return Shop(tmp_path / "shop")


def restated(shop: Shop, change: Change, *keys: Key, names: tuple[str, ...] = ("Pay", "Stock")) -> None:
    """The override changed, signed by these keys, and named by manifest and gates as if it had been made so: only the keys tell."""
    release = shop.release
    bundles = {}
    with output_lock(shop.dist, on_wait=lambda: None):
        output = Output(shop.dist)
        for name in names:
            lines = []
            for envelope in shop.envelopes(name):
                statement = read(envelope)
                if statement.kind == Predicate.OVERRIDE:
                    lines.append(written(change(statement), [FileSigner(one.private) for one in keys]))
                else:
                    lines.append(envelope.line)
            bundles[name] = laid_bundle(output, name, b"".join(line + b"\n" for line in lines))
        record_signatures(output, release, (), None, bundles)
    named = next(one for one in map(digest, shop.envelopes()) if one)
    shop_manifest(shop, lambda document: document["override"].update(statement=named))


def digest(envelope: Envelope) -> str:
    """Of an override's payload, as a manifest names it; "" of another statement."""
    return hashlib.sha256(envelope.payload).hexdigest() if read(envelope).kind == Predicate.OVERRIDE else ""


def shop_manifest(shop: Shop, edit: Callable[[Any], object]) -> None:
    path = shop.dist / "shipsafe.json"
    document = json.loads(path.read_text())
    edit(document)
    path.unlink()
    path.write_text(json.dumps(document))


def test_one_signed_statement_about_all_zips_is_carried_in_every_bundle(made: Shop) -> None:
    release = made.release
    (said,) = made.statements(Predicate.OVERRIDE)
    assert made.statements(Predicate.OVERRIDE, "Stock") == [said]
    assert {one.digests["sha256"] for one in said.subjects} == {one.sha256 for one in release.artifacts}
    assert [one["rule"] for one in said.predicate["findings"]] == ["lint/B602"]
    (gates,) = made.statements(Predicate.GATES)
    assert (gates.predicate["decision"], gates.predicate["override"]) == ("OVERRIDDEN", release.override)
    assert release.document["verdict"] == {"decision": "OVERRIDDEN"}
    assert (release.document["override"]["until"], said.predicate["at"]) == ("2026-11-22T03:00:05Z", "2026-11-21T03:00:05Z")


def test_it_goes_on_where_it_is_asked_for_in_its_own_words(made: Shop) -> None:
    override = going_on(made.release, made.policy(), replace(ASKED, reason=" The shop  is down "), NOW + timedelta(hours=23))
    assert override is not None
    assert (override.by, override.second, override.vouched_by) == ("jo@acme.example", "sam@acme.example", ("oncall",))
    assert override.over[0].startswith("lint/B602 at function:Pay: ")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, "did not pass its gates"),
        (replace(ASKED, reason="because"), "another reason"),
        (replace(ASKED, second="kim@acme.example"), "not who agreed"),
    ],
)
def test_nobody_goes_on_with_it_without_saying_so(made: Shop, asked: BreakGlass | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        going_on(made.release, made.policy(), asked, NOW)


@pytest.mark.parametrize(("later", "said"), [(timedelta(hours=24), "ended at"), (timedelta(minutes=-6), "begins at")])
def test_it_lets_nothing_through_outside_of_its_time(made: Shop, later: timedelta, said: str) -> None:
    with pytest.raises(IntegrityError, match=said):
        going_on(made.release, made.policy(), ASKED, NOW + later)


def test_a_policy_may_shorten_it_afterwards(shop: Shop) -> None:
    shop.allow(POLICY + TRUSTED + '\n[break-glass]\nlongest = "2h"\n')
    with pytest.raises(IntegrityError, match="the policy allows 2 hours"):
        going_on(shop.release, shop.policy(), ASKED, NOW)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (POLICY + "\n[break-glass]\nallowed = false\n", "allows none"),
        (POLICY + BUILDER.table("builder"), "trusts nobody to override it"),
        (POLICY + TRUSTED.replace("overrider", "deployer"), "trusts nobody to override it"),
        (POLICY + BUILDER.table("overrider") + "\n", None),
        (POLICY + SECOND.table("overrider"), "No key that the policy trusts as overrider"),
        (POLICY + "\n[attest]\noverriders = 2\n" + TRUSTED + SECOND.table("overrider"), "1 of 2 keys"),
        (POLICY + '\n[attest]\nunsigned = "refuse"\n', "trusts no key of an overrider"),
    ],
)
def test_whose_policy_goes_on_says_whose_override_counts(shop: Shop, policy: str, said: str | None) -> None:
    shop.allow(policy)
    if said is None:
        assert (
            going_on(shop.release, shop.policy(), ASKED, NOW) is not None
        )  # a builder's key that the policy trusts as an overrider's, too
        return
    with pytest.raises(IntegrityError, match=said):
        going_on(shop.release, shop.policy(), ASKED, NOW)


def longer(one: Statement) -> Statement:
    return replace(one, predicate={**one.predicate, "until": "2026-11-30T00:00:00Z"})


def alone(one: Statement) -> Statement:
    return replace(one, predicate={**one.predicate, "second": one.predicate["by"]})


def about_pay(one: Statement) -> Statement:
    return replace(one, subjects=one.subjects[:1])


def about_more(one: Statement) -> Statement:
    return replace(one, subjects=(*one.subjects, replace(one.subjects[0], digests={"sha256": "0" * 64})))


@pytest.mark.parametrize(
    ("change", "keys", "said"),
    [
        (lambda one: one, (BUILDER,), "trusts as builder, and this is what an overrider"),
        (lambda one: one, (), "Nobody signed it"),
        (longer, (ON_CALL,), "the policy allows 1 day"),
        (about_pay, (ON_CALL,), "not about 1 that are"),
        (about_more, (ON_CALL,), "about 1 zips that are not in the release"),
        (alone, (ON_CALL,), "wants a second person"),
    ],
)
def test_what_was_changed_or_signed_by_others_lets_nothing_through(shop: Shop, change: Change, keys: tuple[Key, ...], said: str) -> None:
    shop.allow(POLICY + TRUSTED + "\n[break-glass]\nsecond-person = true\n")
    restated(shop, change, *keys)
    with pytest.raises(IntegrityError, match=said):
        going_on(shop.release, shop.policy(), ASKED, NOW)


def test_a_bundle_without_it_is_not_let_through_by_that_of_another(shop: Shop) -> None:
    lines = [one.line for one in shop.envelopes("Stock") if read(one).kind != Predicate.OVERRIDE]
    with output_lock(shop.dist, on_wait=lambda: None):
        output = Output(shop.dist)
        bundle = laid_bundle(output, "Stock", b"".join(line + b"\n" for line in lines))
        record_signatures(output, shop.release, (), None, {"Stock": bundle})
    with pytest.raises(IntegrityError, match="does not carry it"):
        going_on(shop.release, shop.policy(), ASKED, NOW)


def test_a_manifest_that_hides_it_is_not_taken(shop: Shop) -> None:
    shop_manifest(shop, lambda document: (document.pop("override"), document["verdict"].update(decision="PASS")))
    with pytest.raises(IntegrityError, match='its gates decided "OVERRIDDEN", and only what passed'):
        builder_words(shop.release, shop.policy(), today=NOW.date())


@pytest.mark.parametrize("edit", [lambda one: one.pop("override"), lambda one: one["verdict"].update(decision="PASS")])
def test_half_of_it_is_no_manifest(shop: Shop, edit: Callable[[Any], object]) -> None:
    shop_manifest(shop, edit)
    with pytest.raises(IntegrityError, match="not a release manifest"):
        read_release(shop.dist)


def test_other_bytes_do_not_inherit_it(shop: Shop, tmp_path: Path) -> None:
    """A release of other bytes, whose manifest and bundles claim the override of this one."""
    other = make_shop(tmp_path / "other", TRUSTED, code=[("pay", FINE), ("stock", FINE)])
    assert other.build(BUILDER, asked=None).verdict.decision is Decision.PASS
    lines = [one.line for one in shop.envelopes() if read(one).kind == Predicate.OVERRIDE]
    with output_lock(other.dist, on_wait=lambda: None):
        output, bundles = Output(other.dist), {}
        for name in ("Pay", "Stock"):
            told = [*(one.line for one in other.envelopes(name)), *lines]
            bundles[name] = laid_bundle(output, name, b"".join(line + b"\n" for line in told))
        record_signatures(output, other.release, (), None, bundles)
    claimed = shop.release.document["override"]
    shop_manifest(other, lambda document: (document.update(override=claimed), document["verdict"].update(decision="OVERRIDDEN")))
    with pytest.raises(IntegrityError, match="1 zips that are not in the release"):
        going_on(other.release, other.policy(), ASKED, NOW)


def test_the_next_build_of_what_is_fixed_is_clean(shop: Shop) -> None:
    (shop.root / "pay" / "app.py").write_text(FINE)
    assert shop.build(BUILDER, ON_CALL, asked=None).verdict.decision is Decision.PASS
    assert shop.release.override is None
    assert shop.statements(Predicate.OVERRIDE) == []
    assert going_on(shop.release, shop.policy(), ASKED, NOW) is None


def test_a_build_that_passes_overrides_nothing(shop: Shop) -> None:
    (shop.root / "pay" / "app.py").write_text(FINE)
    record = shop.build(BUILDER, ON_CALL)
    assert (record.verdict.decision, record.verdict.override) == (Decision.PASS, None)
    assert "Nothing was overridden: it passes." in record.hints
    assert shop.release.override is None


def test_what_the_policy_lets_nobody_waive_nobody_answers_for(shop: Shop) -> None:
    before = (shop.dist / "shipsafe.json").read_bytes()
    shop.allow(f'unwaivable = ["lint/B602"]\n{POLICY}{TRUSTED}')
    record = shop.build(BUILDER, ON_CALL)
    assert (record.verdict.decision, record.verdict.override) == (Decision.FAIL, None)
    assert "No override: nobody can answer for lint/B602 at function:Pay." in record.hints
    assert (shop.dist / "shipsafe.json").read_bytes() == before


def test_what_cannot_be_packed_is_not_let_through(shop: Shop) -> None:
    (shop.root / "pay" / "requirements.txt").write_text("nowhere==1.0\n")  # nothing is fetched, so that nobody has it
    record = shop.build(BUILDER, ON_CALL)
    assert record.verdict.decision is Decision.INCOMPLETE
    assert any("function:Pay could not be packed" in one for one in record.hints)


@pytest.mark.parametrize(
    ("policy", "keys", "asked", "said"),
    [
        ("\n[break-glass]\nallowed = false\n", (), ASKED, "takes no --break-glass"),
        ("\n[break-glass]\nsecond-person = true\n", (), replace(ASKED, second=""), "second person"),
        ("\n[break-glass]\nsecond-person = true\n", (), replace(ASKED, second=" JO@acme.example"), "second person"),
        (BUILDER.table("builder"), (BUILDER,), ASKED, "trusts nobody to override it"),
        (TRUSTED, (BUILDER,), ASKED, "0 of the keys given may speak as an overrider"),
        (TRUSTED, (), ASKED, "trusts an overrider's key"),
        ("\n[attest]\noverriders = 2\n" + TRUSTED + SECOND.table("overrider"), (ON_CALL,), ASKED, "the policy wants 2"),
    ],
)
def test_who_may_not_is_told_before_anything_is_done(
    tmp_path: Path, policy: str, keys: tuple[Key, ...], asked: BreakGlass, said: str
) -> None:
    shop = make_shop(tmp_path / "shop", policy)
    with pytest.raises(ConfigError, match=said):
        refuse_unless_allowed(asked, shop.policy(), [FileSigner(one.private) for one in keys], NOW.date())


def test_a_share_of_a_build_is_no_release_that_somebody_could_answer_for(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    request = Request(path=shop.root, today=NOW.date(), out=shop.dist, offline=True, shard=(1, 2), break_glass=ASKED)
    with pytest.raises(ConfigError, match="a share of one"):
        build(request, silent_progress(), Timeline())


def test_what_came_up_later_has_to_be_answered_for_again(made: Shop) -> None:
    override = going_on(made.release, made.policy(), ASKED, NOW)
    assert override is not None
    policy = made.policy()
    new = Finding(rule="lint/B105", subject="function:Pay", message="a password", remedy="r", severity=Severity.HIGH, key="k")
    unknown = Outcome.unanswered("dependencies", "function:Pay", "The feed is down.")
    for outcome in (Outcome(gate="lint", subject="function:Pay", state=State.ANSWERED, findings=(new,)), unknown):
        verdict = judge(policy, [outcome], NOW.date())
        assert overridden(verdict, override, policy) == verdict
        assert any("does not answer for" in line for line in not_let_through(verdict, override, ASKED, policy))


@pytest.mark.parametrize("reason", ["", "  ", "a" * 501, "a\x1b[31mb", "a\u202eb"])
def test_a_reason_is_a_line_that_can_be_shown(reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--break-glass"):
        words(reason, None, root=tmp_path)


@pytest.mark.parametrize("second", ["Jo@acme.example", "jo@acme.example ", "jo\uff20acme.example", ""])
def test_the_second_person_is_not_the_first_in_other_letters(second: str) -> None:
    assert not agreed("jo@acme.example", second)
    assert agreed("jo@acme.example", "sam@acme.example")


def test_a_second_person_alone_breaks_nothing(tmp_path: Path) -> None:
    assert words(None, None, root=tmp_path) is None
    with pytest.raises(ConfigError, match="--second"):
        words(None, "sam", root=tmp_path)


def test_in_github_actions_it_is_whoever_started_the_workflow(tmp_path: Path) -> None:
    told = words(" it  burns\n", "sam", root=tmp_path, environment={"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "jo"})
    assert told == BreakGlass(reason="it burns", by="jo", second="sam")


def test_what_it_lets_through_is_signed_by_the_profile_and_role_that_are_kept_for_that(tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/break-glass"
    shop = make_shop(tmp_path / "shop", f'\n[break-glass]\nprofile = "hotfix_2026"\nrole = "{role}"\n')
    target = SignTarget(name="prod", profile="pay_2026", bucket="b", profile_version="Ab1cD2ef3G")
    used = under_override(target, shop.policy())
    assert (used.profile, used.profile_version, used.role) == ("hotfix_2026", None, role)
    assert under_override(target, replace(shop.policy(), break_glass=type(shop.policy().break_glass)())) == target
