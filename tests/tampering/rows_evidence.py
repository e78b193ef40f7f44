"""Kinds of tampering with what was stated: SBOM, envelopes, keys, manifest, policy."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.tampering import envelopes, zips
from tests.tampering.envelopes import GATES, PROVENANCE, SBOM, SIGNING, Document, Key
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words, digests
from tests.tampering.world import advisory

SBOMS = Group("The SBOM")
ENVELOPES = Group("Statements and their envelopes")
KEYS = Group("Keys")
MANIFEST = Group("The release manifest")


def _sbom(trial: Trial, data: bytes) -> None:
    """Another SBOM, whose digest the manifest names."""
    trial.replace("Pay.cdx.json", data)
    trial.rewrite_manifest(lambda document: trial.artifact(document)["sbom"].update(digests_of_sbom(data)))


def digests_of_signed(data: bytes) -> Document:
    return {name: value for name, value in digests(data).items() if name != "sha512"}


def digests_of_sbom(data: bytes) -> Document:
    return {"sha256": digests(data)["sha256"]}


def _less(document: Document) -> None:
    """One component fewer."""
    gone = document["components"].pop()
    for one in document.get("dependencies", ()):
        one["dependsOn"] = [ref for ref in one.get("dependsOn", ()) if ref != gone.get("bom-ref")]
    document["dependencies"] = [one for one in document.get("dependencies", ()) if one["ref"] != gone.get("bom-ref")]


@SBOMS("a swapped SBOM", 5)
def _(trial: Trial) -> Words:
    """Stock's SBOM lies beside Pay's zip."""
    trial.replace("Pay.cdx.json", (trial.dist / "Stock.cdx.json").read_bytes())
    return "verify", "dist"


@SBOMS("a swapped SBOM, and the manifest", 5)
def _(trial: Trial) -> Words:
    """Stock's SBOM lies beside Pay's zip, and the manifest names its digest."""
    _sbom(trial, (trial.dist / "Stock.cdx.json").read_bytes())
    return "verify", "dist"


@SBOMS("one component less", 5)
def _(trial: Trial) -> Words:
    """A component is gone from the SBOM beside the zip, and the manifest names its new digest."""
    document = json.loads((trial.dist / "Pay.cdx.json").read_text())
    _less(document)
    _sbom(trial, json.dumps(document).encode())
    return "verify", "dist"


@SBOMS("another SBOM, hidden in the statement", 5)
def _(trial: Trial) -> Words:
    """The SBOM beside the zip leaves out a component; the builder's key signs it into the statement, beside the one that is stated."""
    document = json.loads((trial.dist / "Pay.cdx.json").read_text())
    _less(document)
    data = json.dumps(document).encode()
    _sbom(trial, data)
    trial.change_envelope(SBOM, lambda line: envelopes.wrapped(
        json.dumps(envelopes.statement(line)).encode().replace(b"{", b'{"hidden": {"predicate":' + data + b', "more": 1}, ', 1),
        [trial.world.builder]))  # fmt: skip
    return "verify", "dist"


@SBOMS("one component less, signed by the builder", 5)
def _(trial: Trial) -> Words:
    """The SBOM leaves out a file that the zip holds, everywhere, and the builder's own key vouches for it."""
    trial.change_envelope(SBOM, lambda line: envelopes.edited(line, lambda one: _less(one["predicate"]), [trial.world.builder]))
    (line,) = (line for line in trial.bundle() if envelopes.is_of(line, SBOM))
    _sbom(trial, json.dumps(envelopes.statement(line)["predicate"]).encode())
    return "verify", "dist"


def _envelope(kind: str, done: str, change: Callable[[Trial, bytes], bytes], predicate: str = PROVENANCE, code: int = 5) -> None:
    def act(trial: Trial) -> Words:
        trial.change_envelope(predicate, lambda line: change(trial, line))
        return "verify", "dist"

    act.__doc__ = done
    ENVELOPES(kind, code)(act)


def _name_another_project(document: Document) -> None:
    document["predicate"]["buildDefinition"]["externalParameters"]["project"] = "somebody-elses"


def _pass(document: Document) -> None:
    document["predicate"]["decision"] = "PASS"
    document["predicate"]["outcomes"] = []


def _each_answer(edit: Callable[[Document], None]) -> Callable[[Document], None]:
    def edited(document: Document) -> None:
        for one in document["predicate"]["outcomes"]:
            edit(one)

    return edited


@ENVELOPES("a changed bundle", 5)
def _(trial: Trial) -> Words:
    """A blank is added to the bundle, and the manifest still names the old one."""
    trial.replace("Pay.intoto.jsonl", (trial.dist / "Pay.intoto.jsonl").read_bytes() + b" \n")
    return "verify", "dist"


@ENVELOPES("a missing bundle", 5)
def _(trial: Trial) -> Words:
    """The bundle is gone, and the store of the output folder with it."""
    (trial.dist / "Pay.intoto.jsonl").unlink()
    trial.empty_store()
    return "verify", "dist"


@ENVELOPES("an empty bundle", 5)
def _(trial: Trial) -> Words:
    """The bundle holds nothing, and the manifest names it so."""
    trial.rewrite_bundle([])
    return "verify", "dist"


@ENVELOPES("swapped bundles", 5)
def _(trial: Trial) -> Words:
    """Stock's envelopes lie beside Pay's zip, genuine every one."""
    trial.rewrite_bundle(trial.bundle("Stock"))
    return "verify", "dist"


@ENVELOPES("an envelope for another artifact", 5)
def _(trial: Trial) -> Words:
    """Pay's provenance is replaced by Stock's, genuinely signed."""
    (theirs,) = (line for line in trial.bundle("Stock") if envelopes.is_of(line, PROVENANCE))
    trial.change_envelope(PROVENANCE, lambda _: theirs)
    return "verify", "dist"


@ENVELOPES("a missing provenance", 5)
def _(trial: Trial) -> Words:
    """The provenance is taken out of the bundle."""
    trial.rewrite_bundle(envelopes.without(trial.bundle(), PROVENANCE))
    return "verify", "dist"


@ENVELOPES("no word of the gates", 5)
def _(trial: Trial) -> Words:
    """What the gates said is taken out of the bundle."""
    trial.rewrite_bundle(envelopes.without(trial.bundle(), GATES))
    return "verify", "dist"


@ENVELOPES("gates that nobody asked", 5)
def _(trial: Trial) -> Words:
    """Builder and signer vouch for a PASS of no gate at all."""
    trial.restate(GATES, _pass)
    return "verify", "dist"


@ENVELOPES("answers about another function", 5)
def _(trial: Trial) -> Words:
    """Builder and signer vouch for what gates answered about Stock as if it were about Pay."""
    trial.restate(GATES, _each_answer(lambda one: one.update(subject="function:Stock")))
    return "verify", "dist"


@ENVELOPES("answers about no function", 5)
def _(trial: Trial) -> Words:
    """Builder and signer vouch for answers about the project alone, of which no required gate is missed."""
    trial.restate(GATES, _each_answer(lambda one: one.update(subject="project", findings=[])))
    return "verify", "dist"


@ENVELOPES("an advisory behind a gate that was not asked", 4)
def _(trial: Trial) -> Words:
    """Builder and signer say that the dependencies need not be asked about, and an advisory about one of them is known."""

    def unasked(one: Document) -> None:
        if one["gate"] == "dependencies":
            one.update(state="not-asked", reason="It does not apply.", findings=[])

    advisory(trial.root, "PYSEC-2026-2", "rates")
    trial.restate(GATES, _each_answer(unasked))
    return "verify", "dist"


@ENVELOPES("what another tool states of the signed zip", 0)
def _(trial: Trial) -> Words:
    """A statement of another kind about the signed zip, with the builder's key: the signed zip is no unsigned one for it."""
    subject = {"name": "signed.zip", "digest": {"sha256": digests(trial.world.signed["Pay"])["sha256"]}}
    scan = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://example.com/scan/v1",
        "predicate": {},
    }
    trial.rewrite_bundle([*trial.bundle(), envelopes.envelope(scan, [trial.world.builder])])
    return "verify", trial.save(trial.world.signed["Pay"]), "--release", "dist"


_envelope("a changed payload", "The provenance names another project, under the signature that it had.",
          lambda _, line: envelopes.payload_edited(line, _name_another_project))  # fmt: skip
_envelope("another payload type", "The envelope calls its payload plain JSON; whoever signed did so over in-toto's type.",
          lambda _, line: json.dumps({**json.loads(line), "payloadType": "application/json"}).encode())  # fmt: skip
_envelope("another payload type, signed", "The builder's key signs the provenance as plain JSON.",
          lambda trial, line: envelopes.envelope(
              envelopes.statement(line), [trial.world.builder], payload_type="application/json"))  # fmt: skip
_envelope("a weaker digest only", "The subject has a SHA-1 and no SHA-256, and the builder's key vouches for it.",
          lambda trial, line: envelopes.edited(
              line, lambda one: one["subject"][0].update(digest={"sha1": "0" * 40}), [trial.world.builder]))  # fmt: skip
_envelope("no signature", "The signatures are taken off the provenance.",
          lambda _, line: json.dumps({**json.loads(line), "signatures": []}).encode())  # fmt: skip
_envelope("an unknown key", "The provenance is signed anew by a key that the policy does not list.",
          lambda _, line: envelopes.envelope(envelopes.statement(line), [Key.new("mallory")]))  # fmt: skip
_envelope("a spoofed key id", "A stranger signs, and the envelope says that it was the builder's key.",
          lambda trial, line: envelopes.envelope(
              envelopes.statement(line), [Key.new("mallory")], keyid=trial.world.builder.keyid))  # fmt: skip
_envelope("the signer speaks for the builder", "The provenance is signed by the key that may only speak as signer.",
          lambda trial, line: envelopes.envelope(envelopes.statement(line), [trial.world.signer]))  # fmt: skip


@ENVELOPES("the builder speaks for the signer", 5)
def _(trial: Trial) -> Words:
    """The signing record is signed by the key that may only speak as builder."""
    trial.change_envelope(SIGNING, lambda line: envelopes.envelope(envelopes.statement(line), [trial.world.builder]))
    return "verify", "dist"


@ENVELOPES("a stranger's statement beside ours", 0)
def _(trial: Trial) -> Words:
    """A second provenance, signed by nobody we know, is added: it proves nothing, and spoils nothing."""
    (ours,) = (line for line in trial.bundle() if envelopes.is_of(line, PROVENANCE))
    theirs = envelopes.edited(ours, _name_another_project, [Key.new("mallory")])
    trial.rewrite_bundle([*trial.bundle(), theirs])
    return "verify", "dist"


@KEYS("an expired key", 5)
def _(trial: Trial) -> Words:
    """The policy's key of the builder ended before the release was signed."""
    key = trial.world.builder
    trial.policy(lambda text: text.replace(key.table("builder"), key.table("builder", more="until = 2026-01-31\n")))
    return "verify", "dist"


@KEYS("a key of the future", 5)
def _(trial: Trial) -> Words:
    """The policy's key of the builder begins after the release was signed."""
    key, begins = trial.world.builder, datetime.now(UTC).date() + timedelta(days=30)
    trial.policy(lambda text: text.replace(key.table("builder"), key.table("builder", more=f"from = {begins}\n")))
    return "verify", "dist"


def _two(text: str) -> str:
    """A policy that wants two builders' keys."""
    assert "[attest]" not in text
    return text.replace("\n[[attest.key]]", "\n[attest]\nbuilders = 2\n\n[[attest.key]]", 1) + Key.new("second").table("builder")


@KEYS("too few keys", 5)
def _(trial: Trial) -> Words:
    """The policy wants two keys of builders, and one has signed."""
    trial.policy(_two)
    return "verify", "dist"


@KEYS("one key, twice", 5)
def _(trial: Trial) -> Words:
    """The policy wants two keys of builders; one has signed twice, under two key ids."""
    trial.policy(_two)

    def twice(line: bytes) -> bytes:
        outer = json.loads(line)
        (first,) = outer["signatures"]
        return json.dumps({**outer, "signatures": [first, {**first, "keyid": "another"}]}).encode()

    trial.change_envelope(PROVENANCE, twice)
    return "verify", "dist"


@KEYS("strangers rebuild everything", 5)
def _(trial: Trial) -> Words:
    """Another zip, and a manifest and envelopes that fit it in every digest, signed by a key of their own."""
    data = trial.change_zip(zips.body_changed, told=True)
    stranger = Key.new("mallory")

    def about(document: Document) -> None:
        document["subject"][0]["digest"] = {name: digests(data)[name] for name in ("sha256", "sha512")}

    trial.rewrite_bundle(
        [envelopes.edited(line, about, [stranger]) for line in trial.bundle() if not envelopes.is_of(line, SIGNING, "signer")]
    )
    return "verify", "dist"


@MANIFEST("an edited manifest", 5)
def _(trial: Trial) -> Words:
    """The manifest names another digest for Pay.zip."""
    trial.rewrite_manifest(lambda document: trial.artifact(document)["digests"].update(sha256="0" * 64))
    return "verify", "dist"


@MANIFEST("another handler in the manifest", 5)
def _(trial: Trial) -> Words:
    """The manifest says another handler than the one that was audited."""
    trial.rewrite_manifest(lambda document: trial.artifact(document).update(handler="lib.prices.handler"))
    return "verify", "dist"


@MANIFEST("another function in the manifest", 5)
def _(trial: Trial) -> Words:
    """The manifest says that the code is to go to another function than the template does."""
    trial.rewrite_manifest(lambda document: trial.artifact(document)["deployment"].update(function_name="payments"))
    return "verify", "dist"


@MANIFEST("another signed object in the manifest", 5)
def _(trial: Trial) -> Words:
    """The manifest names another signed zip to deploy than the signing record does."""
    trial.rewrite_manifest(lambda document: trial.artifact(document)["signatures"][0].update(digests_of_signed(b"another")))
    return "verify", "dist"


@MANIFEST("the manifest of another build", 5)
def _(trial: Trial) -> Words:
    """The manifest of a build of other code lies beside these zips."""
    other = trial.another_build()
    shutil.copy(other / "shipsafe.json", trial.dist / "shipsafe.json")
    return "verify", "dist"


@MANIFEST("an older release", 0)
def _(trial: Trial) -> Words:
    """An older release lies there instead, whole and genuine: nothing in it says that there is a newer one."""
    other = trial.another_build()
    shutil.rmtree(trial.dist)
    shutil.copytree(other, trial.dist)
    return "verify", "dist"


@MANIFEST("a release without evidence", 5)
def _(trial: Trial) -> Words:
    """The manifest names no bundle any more."""

    def drop(document: Document) -> None:
        for entry in document["artifacts"]:
            entry.pop("evidence")

    trial.rewrite_manifest(drop)
    return "verify", "dist"


@MANIFEST("an empty release", 3)
def _(trial: Trial) -> Words:
    """The manifest names no artifact at all."""
    trial.rewrite_manifest(lambda document: document.update(artifacts=[]))
    return "verify", "dist"
