"""What both kinds of store do alike: keep once, find by digest, believe no name."""

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.store import Store, keeping, open_store, store_of
from shipsafe.evidence.store.layout import Filed, word_of
from shipsafe.model.attestation import Predicate, Statement
from shipsafe.model.policy import Policy
from tests.evidence.store.statements import ONE, THREE, TWO, kept, sealed, statement
from tests.local_endpoint import REGION, client

BUCKET = "acme-evidence"


class Place:
    """A store, and how somebody else gets at its objects."""

    def __init__(self, address: str, home: Path) -> None:
        self.address, self.home = address, home

    def open(self) -> Store:
        return open_store(self.address, home=self.home)

    def names(self) -> list[str]:
        root = self.home / self.address
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def overwrite(self, name: str, data: bytes) -> None:
        (self.home / self.address / name).parent.mkdir(parents=True, exist_ok=True)
        (self.home / self.address / name).write_bytes(data)


class BucketPlace(Place):
    def names(self) -> list[str]:
        return [one["Key"].removeprefix("lambda/") for one in client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    def overwrite(self, name: str, data: bytes) -> None:
        """As on a bucket without versions: what was there is gone."""
        for one in client("s3").list_object_versions(Bucket=BUCKET, Prefix=f"lambda/{name}").get("Versions", ()):
            client("s3").delete_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])
        client("s3").put_object(Bucket=BUCKET, Key=f"lambda/{name}", Body=data)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "folder":
        yield Place("evidence", tmp_path)
        return
    request.getfixturevalue("local_aws")
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield BucketPlace(f"s3://{BUCKET}/lambda/", tmp_path)


def test_what_was_kept_is_found_under_each_of_its_subjects(place: Place) -> None:
    store = place.open()
    envelope, said = kept(ONE, TWO, kind=Predicate.SIGNING)
    assert store.keep(envelope, said)
    assert place.open().about(ONE) == store.about(TWO) == (envelope,)
    assert store.about(THREE) == ()


def test_a_signed_zip_is_found_by_its_digest_as_lambda_has_it(place: Place) -> None:
    envelope, said = kept(ONE, TWO, kind=Predicate.SIGNING)
    place.open().keep(envelope, said)
    assert place.open().by_code_sha256(base64.b64encode(bytes.fromhex(TWO)).decode()) == (envelope,)


def test_names_say_the_subject_the_kind_and_the_digest_of_the_content(place: Place) -> None:
    envelope, said = kept(ONE, kind=Predicate.SBOM)
    place.open().keep(envelope, said)
    assert place.names() == [f"sha256/{ONE}/sbom-{envelope.sha256}.json"]


def test_keeping_the_same_twice_writes_nothing(place: Place) -> None:
    store = place.open()
    envelope, said = kept(ONE)
    assert store.keep(envelope, said)
    assert not store.keep(envelope, said)


def test_keeping_again_writes_what_is_missing_under_another_subject(place: Place) -> None:
    """As after a crash between the two."""
    store = place.open()
    envelope, said = kept(ONE, TWO)
    store.keep(envelope, Statement(subjects=said.subjects[:1], kind=said.kind, predicate=said.predicate))
    assert store.keep(envelope, said)
    assert store.about(TWO) == (envelope,)


def test_other_bytes_under_a_name_are_refused_when_read_and_when_kept(place: Place) -> None:
    store = place.open()
    envelope, said = kept(ONE)
    store.keep(envelope, said)
    place.overwrite(place.names()[0], sealed(statement(ONE, verdict="PASS")).line)
    for use in (lambda: store.about(ONE), lambda: store.keep(envelope, said), lambda: list(store.everything())):
        with pytest.raises(IntegrityError, match=f"gates-{envelope.sha256}.*It is not what was filed"):
            use()


def test_an_envelope_filed_under_a_zip_that_it_does_not_name_is_refused(place: Place) -> None:
    """Somebody copied the evidence of another artifact."""
    store = place.open()
    envelope, said = kept(ONE)
    store.keep(envelope, said)
    place.overwrite(Filed(subject=TWO, word="gates", envelope=envelope.sha256).name, envelope.line)
    with pytest.raises(IntegrityError, match=f"It is filed under {TWO} and says nothing of it"):
        store.about(TWO)
    assert store.about(ONE) == (envelope,)


def test_an_envelope_filed_as_another_kind_is_refused(place: Place) -> None:
    envelope, _ = kept(ONE, kind=Predicate.GATES)
    place.overwrite(Filed(subject=ONE, word="signing", envelope=envelope.sha256).name, envelope.line)
    with pytest.raises(IntegrityError, match="filed as signing and is a gates"):
        place.open().about(ONE)


def test_what_is_no_envelope_is_refused_even_under_its_own_digest(place: Place) -> None:
    for data in (b"{}", b"", b"\xff", b"[" * 3000):
        digest = hashlib.sha256(data).hexdigest()
        place.overwrite(Filed(subject=ONE, word="gates", envelope=digest).name, data)
    store = place.open()
    assert {type(found) for _, found in store.read_all(store.listed())} == {IntegrityError}


def test_everything_gives_each_envelope_once_and_only_the_kinds_asked_for(place: Place) -> None:
    store = place.open()
    signing, bom = kept(ONE, TWO, kind=Predicate.SIGNING), kept(ONE, kind=Predicate.SBOM)
    for envelope, said in (signing, bom):
        store.keep(envelope, said)
    assert {envelope for _, envelope in store.everything()} == {signing[0], bom[0]}
    [(shown, only)] = store.everything([Predicate.SIGNING])
    assert only == signing[0]
    assert shown == f"{store.shown}/sha256/{ONE}/signing-{only.sha256}.json"


def test_one_bad_object_does_not_hide_the_others(place: Place) -> None:
    store = place.open()
    for number in range(40):
        store.keep(*kept(ONE, number=number))
    place.overwrite(place.names()[3], b"gone")
    found = [found for _, found in store.read_all(store.listed())]
    assert [type(one).__name__ for one in found].count("IntegrityError") == 1
    assert len(found) == 40


def test_what_somebody_else_left_there_is_not_evidence(place: Place) -> None:
    store = place.open()
    store.keep(*kept(ONE))
    place.overwrite("README.txt", b"hello")
    place.overwrite(f"sha256/{ONE}/.gates-{ONE}.json.0a1b.tmp", b"half")
    assert len(list(store.everything())) == len(store.about(ONE)) == 1


def test_a_predicate_that_we_do_not_know_is_kept_as_well(place: Place) -> None:
    envelope, said = kept(ONE, kind="https://example.com/review/v1")
    place.open().keep(envelope, said)
    assert place.open().about(ONE) == (envelope,)
    assert list(place.open().everything([Predicate.GATES])) == []


@pytest.mark.parametrize("digest", ["", "1" * 63, "G" * 64, "../" + "1" * 61, "1" * 64 + "\n"])
def test_only_a_sha256_is_looked_up(digest: str, tmp_path: Path) -> None:
    store = open_store("evidence", home=tmp_path)
    with pytest.raises(ConfigError, match=re.escape("is no SHA-256")):
        store.about(digest)
    with pytest.raises(IncompleteError, match="is no CodeSha256"):
        store.by_code_sha256(digest)


@pytest.mark.parametrize("place", ["", "s3://", "s3://UPPER/x", "s3:bucket", "https://bucket.example", "s3://b/\n", "a\0b"])
def test_a_place_that_is_none_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no place for evidence"):
        open_store(place, home=tmp_path)


def test_every_kind_has_a_word_of_its_own() -> None:
    assert len({word_of(kind) for kind in Predicate}) == len(Predicate)
    assert word_of("urn:somebody:else") == "other"


def test_a_store_says_what_keeps_people_from_deleting(place: Place) -> None:
    guard = place.open().guard
    assert "delet" in guard


def test_a_store_on_the_local_endpoint_says_so(place: Place) -> None:
    assert place.open().local == isinstance(place, BucketPlace)


def test_a_folder_begins_where_the_policy_lies_and_one_that_is_told_where_the_command_was_called(tmp_path: Path) -> None:
    policy = Policy(path="team/shipsafe.toml", digest="sha256:0", evidence="kept")
    assert store_of(policy, folder=tmp_path).shown == str(tmp_path / "team" / "kept")
    assert store_of(policy, folder=tmp_path, told="kept").shown == str(tmp_path / "kept")
    with pytest.raises(ConfigError, match="No place is named where evidence is kept"):
        store_of(Policy(path=None, digest="sha256:0"), folder=tmp_path)


def test_a_folder_that_cannot_be_written_says_what_to_check(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file")
    with pytest.raises(IncompleteError, match="Check `evidence` in the policy"):
        open_store("evidence", home=tmp_path).keep(*kept(ONE))


def test_a_link_that_leads_nowhere_is_not_taken_for_evidence(tmp_path: Path) -> None:
    envelope, said = kept(ONE)
    path = tmp_path / "evidence" / Filed(subject=ONE, word="gates", envelope=envelope.sha256).name
    path.parent.mkdir(parents=True)
    path.symlink_to("nowhere")
    store = open_store("evidence", home=tmp_path)
    for use in (lambda: store.about(ONE), lambda: store.keep(envelope, said)):
        with pytest.raises(IntegrityError, match="It is no file"):
            use()


def test_more_about_one_zip_than_can_be_held_is_not_read_to_its_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.open()
    made = [kept(ONE, number=number) for number in range(3)]
    assert all(store.keep(*one) for one in made)
    assert len(store.about(ONE)) == 3
    monkeypatch.setattr(keeping, "LARGEST", 2 * len(made[0][0].line))  # room for two, each of which may be read
    with pytest.raises(IncompleteError, match="more than is looked at"):
        store.about(ONE)
