"""Whose word a release is: what a trusted builder signed about exactly this zip, and nothing that anybody else did."""

import base64
import hashlib
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import written
from shipsafe.evidence.provenance import UNKNOWN
from shipsafe.evidence.recorded import code_sha256_of
from shipsafe.evidence.signing_record import signing_record
from shipsafe.evidence.store import open_store
from shipsafe.flows.sign_evidence import keep
from shipsafe.flows.vouching import refuse_unattested
from shipsafe.model.attestation import Predicate, Resource, Role, Statement
from shipsafe.model.claims import NOBODY
from shipsafe.model.verdict import Decision
from shipsafe.packing.output import Output
from shipsafe.packing.release import read_release
from tests.flows.attested import Change, edited, signed_by, signer, trusting, without
from tests.flows.evidence_shop import SIGNED
from tests.flows.shop import TODAY, asked, policy, replaced
from tests.packing.releases import record_evidence

STRICT = '\n[sign]\nbuilder = "attested"\n\n[attest]\nunsigned = "refuse"\n'
CI = trusting("ci", Role.BUILDER)
DAY = timedelta(days=1)


def refused(shop: Path, dist: Path, text: str, match: str) -> None:
    """The release is refused under the shop's policy with that text behind it."""
    under = policy(shop, (shop / "shipsafe.toml").read_text() + text)
    with pytest.raises(IntegrityError, match=match) as caught:
        asked(shop, under, dist=dist)
    assert "cannot be signed" in caught.value.what or "SBOM" in caught.value.what


def test_what_a_trusted_builder_signed_is_vouched_for_by_that_key(shop: Path, dist: Path) -> None:
    """Under the tightest terms: every claim says whose word it is."""
    signed_by(dist, "ci")
    under = policy(shop, (shop / "shipsafe.toml").read_text() + STRICT + CI)
    now = asked(shop, under, dist=dist)
    assert now.record.verdict.decision is Decision.PASS
    assert now.builder == "attested by ci"
    assert {claim.vouched_by for claim in now.claims} == {"ci"}
    assert set(now.vouched_by.values()) == {("ci",)}


def test_an_unsigned_statement_is_compared_and_vouches_for_nothing(shop: Path, dist: Path) -> None:
    now = asked(shop, dist=dist)
    assert (now.builder, {claim.vouched_by for claim in now.claims}) == ("unattested", {NOBODY})


@pytest.mark.parametrize("terms", [STRICT, ""], ids=["strict", "keys alone"])
@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ((), "Nobody signed it"),
        (("stranger",), "No key that the policy trusts as builder signed it"),
        (("release",), "Key 'release' signed it, which the policy trusts as signer"),
    ],
    ids=["unsigned", "a stranger's key", "a key of another role"],
)
def test_what_no_trusted_builder_signed_is_refused(shop: Path, dist: Path, terms: str, keys: tuple[str, ...], match: str) -> None:
    signed_by(dist, *keys)
    refused(shop, dist, terms + CI + trusting("release", Role.SIGNER), match)


def test_a_trusted_key_that_has_ended_is_refused(shop: Path, dist: Path) -> None:
    signed_by(dist, "ci")
    refused(shop, dist, STRICT + CI + f"until = {TODAY - DAY}\n", f"it was used on {TODAY}")


def test_one_key_of_two_is_not_enough(shop: Path, dist: Path) -> None:
    signed_by(dist, "ci")
    terms = "\n[attest]\nbuilders = 2\n" + CI + trusting("other", Role.BUILDER)
    refused(shop, dist, terms, "1 of 2 keys")
    signed_by(dist, "ci", "other")
    under = policy(shop, (shop / "shipsafe.toml").read_text() + terms)
    assert asked(shop, under, dist=dist).builder == "attested by ci, other"


@pytest.mark.parametrize("terms", [STRICT + CI, CI, STRICT], ids=["strict", "keys alone", "strict without keys"])
def test_evidence_that_was_taken_away_is_not_the_way_round(shop: Path, dist: Path, terms: str) -> None:
    """Neither the file, nor what the manifest says of it, nor the statements of the builder in it."""
    signed_by(dist, "ci")
    kept = (dist / "Pay.intoto.jsonl").read_bytes()
    (dist / "Pay.intoto.jsonl").unlink()
    refused(shop, dist, terms, "The bundle is not there|trusts no key")
    (dist / "Pay.intoto.jsonl").write_bytes(kept)
    edited(dist, "Pay", lambda entry: entry.pop("evidence"))
    refused(shop, dist, terms, "No attestation says who built it|trusts no key")


@pytest.mark.parametrize("kind", [Predicate.PROVENANCE, Predicate.SBOM, Predicate.GATES])
def test_each_statement_of_the_builder_is_needed(shop: Path, dist: Path, kind: Predicate) -> None:
    signed_by(dist, "ci", change=without(kind))
    refused(shop, dist, STRICT + CI, "There is no .+ about this zip")


def test_the_bundle_of_another_artifact_is_refused(shop: Path, dist: Path) -> None:
    """Also where nobody signs: its statements are about another zip."""
    signed_by(dist, "ci")
    release = read_release(dist)
    record_evidence(Output(dist), release, {"Pay": (dist / "Stock.intoto.jsonl").read_bytes()})
    refused(shop, dist, STRICT + CI, "Pay cannot be signed. The .+ in .+ is about another zip")
    refused(shop, dist, "", "Pay cannot be signed. The .+ in .+ is about another zip")


@pytest.mark.parametrize("more", ["", trusting("release", Role.SIGNER)], ids=["no signer is trusted", "a signer's key leaked"])
def test_a_signing_record_does_not_lend_a_builders_word_to_another_zip(shop: Path, dist: Path, more: str) -> None:
    """It says that what is to be signed was signed, and made of a zip that the builder did attest."""
    signed_by(dist, "ci")
    signed_by(dist, "ci", change=without(Predicate.SBOM), only="Pay")
    entries = {one["name"]: one for one in json.loads((dist / "shipsafe.json").read_text())["artifacts"]}
    shutil.copyfile(dist / "Stock.zip", dist / "Pay.zip")

    def as_stock(entry: Any) -> None:
        entry.update({name: entries["Stock"][name] for name in ("digests", "size", "entries", "unzipped")})
        entry["sbom"] = None

    edited(dist, "Pay", as_stock)
    pay, stock = (entries[name]["digests"]["sha256"] for name in ("Pay", "Stock"))
    one = replace(SIGNED, artifact="Pay", unsigned_sha256=pay, sha256=stock, code_sha256=code_sha256_of(stock))
    zipped = Resource(name="Pay.zip", digests={"sha256": pay})
    line = written(signing_record(one, zipped=zipped, claims=(), vouched_by=()), [signer("release")] if more else [])
    bundle = (dist / "Pay.intoto.jsonl").read_bytes() + line + b"\n"
    record_evidence(Output(dist), read_release(dist), {"Pay": bundle})
    refused(shop, dist, CI + more + '[gates.sbom]\nmode = "observe"\n', "Pay cannot be signed. The .+ in .+ is about another zip")


def test_the_bundle_of_another_function_with_the_same_zip_is_refused(shop: Path, dist: Path) -> None:
    """Digests cannot tell them apart: the provenance says whose zip it is."""
    signed_by(dist, "ci")
    for suffix in ("zip", "cdx.json", "intoto.jsonl"):
        shutil.copyfile(dist / f"Stock.{suffix}", dist / f"Pay.{suffix}")
    document = json.loads((dist / "shipsafe.json").read_text())
    entries = {one["name"]: one for one in document["artifacts"]}
    for name in ("digests", "size", "entries", "unzipped", "sbom", "evidence"):
        entries["Pay"][name] = entries["Stock"][name]
    for name in ("sbom", "evidence"):
        entries["Pay"][name] = {**entries["Stock"][name], "path": entries["Stock"][name]["path"].replace("Stock", "Pay")}
    (dist / "shipsafe.json").write_text(json.dumps(document))
    refused(shop, dist, STRICT + CI, 'Pay cannot be signed. The builder\'s provenance says of it, as its name: "Stock"')


def test_a_payload_that_was_changed_is_refused(shop: Path, dist: Path) -> None:
    """The signatures stay as they are, and the manifest is made to fit."""
    release = signed_by(dist, "ci")
    path = dist / "Pay.intoto.jsonl"
    lines = path.read_bytes().splitlines()
    envelope = json.loads(lines[0])
    payload = base64.b64decode(envelope["payload"]).replace(b"app.handler", b"app.another")
    envelope["payload"] = base64.b64encode(payload).decode()
    record_evidence(Output(dist), release, {"Pay": b"\n".join([json.dumps(envelope).encode(), *lines[1:]]) + b"\n"})
    refused(shop, dist, STRICT + CI, "No key that the policy trusts as builder signed it")


def test_a_bundle_that_is_not_the_one_of_the_manifest_is_refused(shop: Path, dist: Path) -> None:
    """Even where nobody vouches for anything."""
    path = dist / "Pay.intoto.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    refused(shop, dist, "", "It is not the bundle that the release manifest names")


def test_an_sbom_that_is_not_the_attested_one_is_refused(shop: Path, dist: Path) -> None:
    """It fits the zip and the manifest: what was changed in it (a licence) no zip shows."""
    signed_by(dist, "ci")
    path = dist / "Pay.cdx.json"
    document = json.loads(path.read_text())
    document["metadata"]["supplier"] = {"name": "Mallory"}
    path.write_text(json.dumps(document))

    def follow(entry: Any) -> None:
        entry["sbom"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()

    edited(dist, "Pay", follow)
    refused(shop, dist, STRICT + CI, "It is not the SBOM that the builder attests")
    refused(shop, dist, "", "It is not the SBOM that the builder attests")


def test_an_sbom_that_the_manifest_no_longer_names_is_missed(shop: Path, dist: Path) -> None:
    signed_by(dist, "ci")
    edited(dist, "Pay", lambda entry: entry.update({"sbom": None}))
    refused(shop, dist, STRICT + CI, "states an SBOM, and the release manifest names none")


def test_a_zip_that_was_replaced_with_all_that_nobody_signed_is_refused(shop: Path, dist: Path) -> None:
    signed_by(dist, "ci")
    replaced(dist, "Pay", lambda zipped: zipped.update({"more.txt": b"x"}))
    refused(shop, dist, STRICT + CI, "Pay cannot be signed. No attestation says who built it")


@pytest.mark.parametrize("terms", [STRICT + CI, ""], ids=["strict", "nobody signs"])
@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("runtimes", ["nodejs22.x"], "runtime"),
        ("handler", "app.other", "handler"),
        ("architectures", ["x86_64"], "architecture"),
        ("layers", [], "layers"),
        ("source", "prebuilt", "built-by"),
        ("locks", [], "lock"),
        ("deployment", {"function_name": "payments", "alias": None, "preference": None, "unclear": []}, "deployment"),
    ],
)
def test_a_claim_that_the_builder_contradicts_is_refused(shop: Path, dist: Path, terms: str, field: str, value: Any, named: str) -> None:
    """What a zip does not show decides what is asked of it, and no policy has to name the function for that."""
    signed_by(dist, "ci")
    edited(dist, "Pay", lambda entry: entry.update({field: value}))
    refused(shop, dist, terms, f"Pay cannot be signed. The builder's provenance says of it, as its {named}: ")


def test_where_it_goes_cannot_be_left_out_or_put_in(shop: Path, dist: Path) -> None:
    """Who deploys takes the function's name from the manifest: it decides what gets the code."""
    signed_by(dist, "ci")
    edited(dist, "Pay", lambda entry: entry.pop("deployment"))
    refused(shop, dist, STRICT + CI, "as its deployment: ")


def test_a_release_of_an_older_build_said_nothing_of_it_and_nobody_can_add_it(shop: Path, dist: Path) -> None:
    def as_before(one: Statement) -> Statement:
        definition = one.predicate["buildDefinition"]
        outer = definition["externalParameters"]
        artifact = {name: value for name, value in outer["artifact"].items() if name != "deployment"}
        return replace(one, predicate={**one.predicate, "buildDefinition": {
            **definition, "externalParameters": {**outer, "artifact": artifact}}})  # fmt: skip

    signed_by(dist, "ci", change=lambda one: as_before(one) if one.kind == Predicate.PROVENANCE else one)
    refused(shop, dist, STRICT + CI, "does not say the deployment of it")
    for one in read_release(dist).artifacts:
        edited(dist, one.name, lambda entry: entry.pop("deployment", None))
    under = policy(shop, (shop / "shipsafe.toml").read_text() + STRICT + CI)
    assert asked(shop, under, dist=dist).builder == "attested by ci"


@pytest.mark.parametrize(("part", "named"), [("source", "commit"), ("policy", "policy")])
def test_commit_and_policy_are_the_builder_s_word_too(shop: Path, dist: Path, part: str, named: str) -> None:
    signed_by(dist, "ci")
    path = dist / "shipsafe.json"
    document = json.loads(path.read_text())
    document[part][{"source": "commit", "policy": "digest"}[part]] = {"source": "a" * 40, "policy": f"sha256:{'b' * 64}"}[part]
    path.write_text(json.dumps(document))
    refused(shop, dist, STRICT + CI, f"as its {named}: ")


@pytest.mark.parametrize("named", ["project", "template"])
def test_project_and_template_are_the_builder_s_word_too(shop: Path, dist: Path, named: str) -> None:
    signed_by(dist, "ci")
    path = dist / "shipsafe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {named: "other"}))
    refused(shop, dist, CI, f"as its {named}: ")


def _other_predicate(**changes: Any) -> Change:
    def change(one: Statement) -> Statement:
        return replace(one, predicate={**one.predicate, **changes}) if one.kind == Predicate.PROVENANCE else one

    return change


@pytest.mark.parametrize("definition", [{}, [], None, {"externalParameters": []}, {"externalParameters": {"artifact": 1}}], ids=str)
def test_a_provenance_that_does_not_say_what_it_was_built_for_is_not_enough_under_strict(
    shop: Path, dist: Path, definition: object
) -> None:
    """That of another builder of ours, for example: then nobody attests the claims."""
    signed_by(dist, "ci", change=_other_predicate(buildDefinition=definition))
    refused(shop, dist, STRICT + CI, "The builder's provenance does not say")
    under = policy(shop, (shop / "shipsafe.toml").read_text() + CI)
    now = asked(shop, under, dist=dist)
    assert now.builder == "attested by ci"
    assert {claim.vouched_by for claim in now.claims if claim.name == "handler"} == {NOBODY}


def test_a_provenance_of_an_unknown_builder_attests_nothing(shop: Path, dist: Path) -> None:
    """`sign` states that of zips by their path, and whoever signs may hold a builder's key, too."""
    signed_by(dist, "ci", change=_other_predicate(runDetails={"builder": {"id": UNKNOWN}}))
    refused(shop, dist, STRICT + CI, "nobody knows who built it")
    refused(shop, dist, CI, "nobody knows who built it")


def test_a_builder_whose_gates_did_not_pass_is_refused(shop: Path, dist: Path) -> None:
    def failed(one: Statement) -> Statement:
        return replace(one, predicate={**one.predicate, "decision": "FAIL"}) if one.kind == Predicate.GATES else one

    signed_by(dist, "ci", change=failed)
    refused(shop, dist, STRICT + CI, 'its gates decided "FAIL"')


def test_a_digest_that_is_too_weak_says_nothing(shop: Path, dist: Path) -> None:
    def weaker(one: Statement) -> Statement:
        return replace(one, subjects=tuple(Resource(name=each.name, digests={"sha1": "0" * 40}) for each in one.subjects))

    signed_by(dist, "ci", change=weaker)
    refused(shop, dist, STRICT + CI, "a subject has no SHA-256")


def test_what_a_signer_states_is_not_the_builder_s_word(shop: Path, dist: Path) -> None:
    """A key may have both roles; a statement speaks in one."""

    def as_signer(one: Statement) -> Statement | None:
        return replace(one, predicate={**one.predicate, "askedBy": "signer"}) if one.kind == Predicate.GATES else None

    signed_by(dist, "ci", change=as_signer)
    refused(shop, dist, STRICT + trusting("ci", Role.BUILDER, Role.SIGNER), "No attestation says who built it")


def test_keys_hold_on_the_day_of_signing(shop: Path, dist: Path) -> None:
    signed_by(dist, "ci")
    under = policy(shop, (shop / "shipsafe.toml").read_text() + CI + f"from = {TODAY}\nuntil = {TODAY}\n")
    assert asked(shop, under, dist=dist).builder == "attested by ci"
    with pytest.raises(IntegrityError, match=f"used on {TODAY + DAY}"):
        asked(shop, under, dist=dist, today=TODAY + DAY)


def test_a_zip_by_its_path_is_in_no_release_that_anybody_attests(shop: Path) -> None:
    """Even if the one who signs were to attest it: who built it nobody knows."""
    text = (shop / "shipsafe.toml").read_text()
    for terms in (STRICT, CI, STRICT + CI):
        with pytest.raises(IntegrityError, match=r"pay\.zip cannot be signed\. No attestation says who built it") as caught:
            refuse_unattested([Path("build/pay.zip")], policy(shop, text + terms))
        assert "shipsafe build --prebuilt pay=build/pay.zip --key KEY" in caught.value.remedy
    refuse_unattested([Path("build/pay.zip")], policy(shop, text))


def test_what_a_bundle_says_of_other_zips_too_is_not_filed_under_them(dist: Path, tmp_path: Path) -> None:
    """An append-only store would keep it there for ever."""
    release = read_release(dist)
    pay = next(one for one in release.artifacts if one.name == "Pay")
    ours, theirs, once = (Resource(name=name, digests={"sha256": digest}) for name, digest in
                          (("Pay.zip", pay.sha256), ("other.zip", "0" * 64), ("signed.zip", "1" * 64)))  # fmt: skip
    foreign = Statement(subjects=(ours, theirs), kind=Predicate.PROVENANCE, predicate={"of": "both"})
    earlier = replace(SIGNED, artifact="Pay", unsigned_sha256=pay.sha256, sha256="1" * 64, code_sha256=code_sha256_of("1" * 64))
    lines = [written(one, []) for one in (foreign, signing_record(earlier, zipped=ours, claims=(), vouched_by=()))]
    own = (dist / "Pay.intoto.jsonl").read_bytes()
    record_evidence(Output(dist), release, {"Pay": own + b"".join(line + b"\n" for line in lines)})
    store = open_store("kept", home=tmp_path)
    keep(read_release(dist), store)
    assert store.about("0" * 64) == ()
    assert [one.line for one in store.about(once.digests["sha256"])] == [lines[1]]
    assert {one.line for one in store.about(pay.sha256)} == {*own.splitlines(), lines[1]}
