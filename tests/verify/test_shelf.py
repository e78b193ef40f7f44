"""Evidence at hand: found by the digests that envelopes claim, and believed by nobody before it was proven."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.signing_record import signing_record
from shipsafe.model.attestation import AttestPolicy, Envelope, Resource, Role
from shipsafe.model.chain import Hold
from shipsafe.policy import load
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.shelf import open_shelf
from tests.evidence.speakers import key, trusted_key
from tests.evidence.test_recorded import ONE, SIGNED, UNSIGNED, ZIPPED
from tests.verify.desk import Desk
from tests.verify.live_statements import bom, built

DAY = ONE.signed_at.date()
KEYS = (trusted_key(key("ci"), "ci"), trusted_key(key("signer"), "signer", roles=frozenset({Role.SIGNER})))
ARTIFACT = {"name": "Orders", "subject": "function:Orders", "runtimes": ["python3.13"], "handler": "app.handler",
            "architectures": ["x86_64"], "layers": [], "prebuilt": False}  # fmt: skip
RECORD = signing_record(ONE, zipped=ZIPPED, claims=(), vouched_by=("ci",))
LINES = [
    written(built(ZIPPED, ARTIFACT), [FileSigner(key("ci"))]),
    written(bom(ZIPPED), [FileSigner(key("ci"))]),
    written(RECORD, [FileSigner(key("signer"))]),
]


def _request(folder: Path, *bundles: Sequence[bytes]) -> VerifyRequest:
    policy = load(folder, offline=True, cache=folder, fetch=lambda _url: b"", today=DAY)
    paths = []
    for number, lines in enumerate(bundles):
        paths.append(folder / f"{number}.intoto.jsonl")
        paths[-1].write_bytes(b"\n".join(lines) + b"\n")
    trusted = AttestPolicy(unsigned_allowed=False, keys=KEYS)
    return VerifyRequest(policy=replace(policy, attest=trusted), now=datetime.now(UTC), bundles=tuple(paths))


class Kept:
    """A store that counts what it is asked."""

    def __init__(self, *lines: bytes) -> None:
        self._lines = lines
        self.asked: Counter[str] = Counter()

    def about(self, sha256: str) -> Sequence[Envelope]:
        self.asked[sha256] += 1
        return [envelope for line in self._lines if sha256 in (envelope := read_envelope(line, shown="kept")).payload.decode()]


def test_a_signed_zip_is_joined_to_what_was_built(tmp_path: Path) -> None:
    proof = open_shelf(_request(tmp_path, LINES)).proof(SIGNED, DAY)
    assert proof.unsigned_sha256 == UNSIGNED
    assert proof.provenance is not None
    assert proof.signing is not None


def test_two_bundles_are_one_shelf(tmp_path: Path) -> None:
    shelf = open_shelf(_request(tmp_path, LINES[:2], LINES[2:]))
    assert shelf.proof(SIGNED, DAY).provenance is not None
    assert shelf.shown == f"{tmp_path / '0.intoto.jsonl'}, {tmp_path / '1.intoto.jsonl'}"


def test_the_store_is_asked_once_about_each_digest(tmp_path: Path) -> None:
    store = Kept(*LINES)
    shelf = open_shelf(replace(_request(tmp_path), store=store))
    for _ in range(3):
        assert shelf.proof(SIGNED, DAY).provenance is not None
        assert shelf.knows(SIGNED)
    assert store.asked == {SIGNED: 1, UNSIGNED: 1}


@pytest.mark.parametrize("also", [LINES, LINES[:1], []], ids=["kept, too", "kept in part", "not kept"])
def test_of_two_statements_the_one_that_was_brought_along_counts(tmp_path: Path, also: list[bytes]) -> None:
    """Equal bytes that were built twice, under two policies: what is kept is of both builds, in no order."""
    older = written(built(ZIPPED, {**ARTIFACT, "handler": "old.handler"}), [FileSigner(key("ci"))])
    proof = open_shelf(replace(_request(tmp_path, LINES), store=Kept(*also, older))).proof(SIGNED, DAY)
    assert proof.provenance is not None
    assert proof.provenance.statement.predicate["buildDefinition"]["externalParameters"]["artifact"]["handler"] == "app.handler"


def test_a_claim_about_a_digest_is_found_and_not_believed(tmp_path: Path) -> None:
    """A stranger joins our signed digest to a zip of his own."""
    other = Resource(name="Evil.zip", digests={"sha256": "d4" * 32})
    forged = signing_record(replace(ONE, unsigned_sha256="d4" * 32), zipped=other, claims=(), vouched_by=())
    shelf = open_shelf(_request(tmp_path, [written(forged, [FileSigner(key("stranger"))]), *LINES]))
    proof = shelf.proof(SIGNED, DAY)
    assert proof.unsigned_sha256 == UNSIGNED
    assert shelf.records() == (ONE,)
    alone = open_shelf(_request(tmp_path, [written(forged, [FileSigner(key("stranger"))])]))
    assert alone.knows(SIGNED)
    assert alone.proof(SIGNED, DAY).signing is None
    assert alone.records() == ()


def test_when_a_zip_was_signed_is_what_its_record_claims(tmp_path: Path) -> None:
    shelf = open_shelf(_request(tmp_path, LINES))
    assert shelf.claimed(SIGNED) == ONE.signed_at
    assert shelf.claimed("e5" * 32) is None


def test_what_is_no_statement_counts_against_everything(tmp_path: Path) -> None:
    broken = read_envelope(LINES[0], shown="x")
    line = broken.line.replace(b"application/vnd.in-toto+json", b"text/plain")
    proof = open_shelf(_request(tmp_path, [*LINES, line])).proof(SIGNED, DAY)
    link = proof.link("bundle")
    assert link is not None
    assert link.hold is Hold.BROKEN


def test_a_bundle_that_is_not_there_or_none_is_an_error(tmp_path: Path) -> None:
    request = _request(tmp_path)
    with pytest.raises(ConfigError):
        open_shelf(replace(request, bundles=(tmp_path / "nothing",)))
    (tmp_path / "empty").write_bytes(b"\n")
    with pytest.raises(IntegrityError):
        open_shelf(replace(request, bundles=(tmp_path / "empty",)))


def test_a_store_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    class Gone:
        def about(self, sha256: str) -> Sequence[Envelope]:
            raise IncompleteError(f"Nobody can be asked about {sha256[:4]}.")

    with pytest.raises(IncompleteError):
        open_shelf(replace(_request(tmp_path), store=Gone())).proof(SIGNED, DAY)


def test_the_bundles_of_a_release_are_those_that_its_manifest_names(desk: Desk, tmp_path: Path) -> None:
    request = replace(_request(tmp_path), release=desk.dist)
    shelf = open_shelf(request)
    assert shelf.places == [str(desk.dist)]
    assert shelf.knows(desk.manifest["artifacts"][0]["digests"]["sha256"])
    bundle = desk.dist / "Pay.intoto.jsonl"
    data = bundle.read_bytes()
    bundle.write_bytes(data + LINES[0] + b"\n")
    with pytest.raises(IntegrityError, match="not the bundle that the release manifest names"):
        open_shelf(request)
    bundle.unlink()
    with pytest.raises(IntegrityError):
        open_shelf(request)
