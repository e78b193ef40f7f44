"""Every kept SBOM, quickly: what it lists, whose word it is, and that no cache and no crash changes the answer."""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.cache import Cache, open_cache
from shipsafe.adapters.forkserver import ForkServer
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.evidence.envelope import enveloped, payload, read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.sbom import finish, stated
from shipsafe.evidence.store import Store, open_store
from shipsafe.evidence.store.components import SERVER, Shipped, shipped
from shipsafe.evidence.store.listing import listing
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.attestation import AttestPolicy, Predicate, Resource, Statement
from tests.evidence.speakers import key, trusted_key, trusts
from tests.evidence.store.statements import ONE, TWO
from tests.local_endpoint import REGION, client

TRUSTED = trusts(trusted_key(key("ci")))
NOBODY = AttestPolicy()


def library(name: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    return {"bom-ref": name, "name": name, "properties": [{"name": "shipsafe:index", "value": "https://pypi.org/simple"}],
            "purl": f"pkg:pypi/{name}@{version}", "type": "library", "version": version, **more}  # fmt: skip


def kept(store: Store, digest: str, *components: dict[str, Any], by: str | None = "ci") -> str:
    """Keep the SBOM of a zip, as `build` writes it; gives the digest of its envelope."""
    document = {"components": list(components), "metadata": {"component": {"bom-ref": "function:Orders"}}, "specVersion": "1.6"}
    subject = Resource(name="Orders.zip", digests={"sha256": digest})
    line = enveloped(stated(subject, finish(document, None)), [FileSigner(key(by))] if by else [])
    store.keep(envelope := read_envelope(line, shown="test"), Statement(subjects=(subject,), kind=Predicate.SBOM, predicate={}))
    return envelope.sha256


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store("evidence", home=tmp_path)
    SERVER.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "config"))
    made = open_cache(tmp_path / "cache")
    yield made
    made.close()


def found(store: Store, trusted: AttestPolicy = TRUSTED, **more: Any) -> list[Shipped | ShipsafeError]:
    return [answer for _, answer in shipped(store, trusted, **more)]


def test_an_sbom_tells_its_distributions_and_who_vouches_for_it(store: Store) -> None:
    kept(store, ONE, library("jinja2", "3.1.4"), {"bom-ref": "file:app.py", "name": "app.py", "type": "file"}, library("idna"))
    [one] = found(store)
    assert isinstance(one, Shipped)
    assert one.subjects == (("Orders.zip", ONE),)
    assert (one.name, one.by) == ("function:Orders", ("ci",))
    assert [(each.name, each.version, each.purl, each.index) for each in one.components] == [
        ("jinja2", "3.1.4", "pkg:pypi/jinja2@3.1.4", "https://pypi.org/simple"),
        ("idna", "1.0", "pkg:pypi/idna@1.0", "https://pypi.org/simple"),
    ]


def test_one_that_nobody_trusted_signed_is_an_error_and_hides_no_other(store: Store) -> None:
    kept(store, ONE, library("good"))
    kept(store, TWO, library("bad"), by="mallory")
    answers = found(store)
    assert sorted(type(one).__name__ for one in answers) == ["IntegrityError", "Shipped"]
    assert {type(one) for one in found(store, NOBODY)} == {Shipped}


def test_a_key_that_has_ended_still_counts(store: Store) -> None:
    """Code of last year may run today: to leave it out because of a date would hide it."""
    kept(store, ONE, library("jinja2"))
    ended = replace(TRUSTED, keys=tuple(replace(one, ends=date(2020, 1, 1)) for one in TRUSTED.keys))
    assert [type(one) for one in found(store, ended)] == [Shipped]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff" * 10])
def test_a_damaged_one_is_named(store: Store, data: bytes) -> None:
    kept(store, ONE, library("a"))
    [path] = Path(store.shown).rglob("*.json")
    path.write_bytes(data)
    [error] = found(store)
    assert isinstance(error, IntegrityError)
    assert str(path) in str(error)


def test_a_pipe_in_its_place_is_no_file_and_nobody_waits_for_it(store: Store) -> None:
    kept(store, ONE, library("a"))
    [path] = Path(store.shown).rglob("*.json")
    path.unlink()
    os.mkfifo(path)
    [error] = found(store)
    assert isinstance(error, IntegrityError)
    assert "It is no file" in str(error)


@pytest.mark.parametrize("components", [[1], [{"type": "library", "components": [library("inner")]}], {}, None])
def test_components_that_cannot_be_read_are_not_none(store: Store, components: Any) -> None:
    said = Statement(subjects=(Resource(name="a", digests={"sha256": ONE}),), kind=Predicate.SBOM, predicate={"components": components})
    store.keep(read_envelope(written(said, [FileSigner(key("ci"))]), shown="test"), said)
    assert [type(one) for one in found(store)] == [IntegrityError]


def test_an_sbom_of_another_layout_is_read_whole(store: Store) -> None:
    said = Statement(
        subjects=(Resource(name="a", digests={"sha256": ONE}),), kind=Predicate.SBOM, predicate={"components": [library("jinja2")]}
    )  # fmt: skip
    store.keep(read_envelope(written(said, [FileSigner(key("ci"))]), shown="test"), said)
    [one] = found(store)
    assert isinstance(one, Shipped)
    assert [each.name for each in one.components] == ["jinja2"]


def test_a_list_that_stands_elsewhere_in_the_statement_is_not_the_sboms(store: Store) -> None:
    decoy = f'{{"decoy": {{\n "components": [\n  {json.dumps(library("harmless"))}\n ],\n "more": 1}}, '
    subject = Resource(name="Orders.zip", digests={"sha256": ONE})
    said = Statement(subjects=(subject,), kind=Predicate.SBOM, predicate={"components": [library("jinja2")]})
    line = enveloped(decoy.encode() + payload(said)[1:], [FileSigner(key("ci"))])
    store.keep(read_envelope(line, shown="test"), said)
    [one] = found(store)
    assert isinstance(one, Shipped)
    assert [each.name for each in one.components] == ["jinja2"]


def test_a_distribution_that_stands_before_another_in_its_line_is_not_passed_over() -> None:
    """Nor one that stands between two files."""
    for hider in (library("harmless"), {"bom-ref": "file:a", "name": "a", "type": "file"}):
        line = f"{json.dumps(hider)}, {json.dumps(library('jinja2'))}, {json.dumps(hider)}"
        text = f'{{\n "components": [\n  {line}\n ],\n "specVersion": "1.6"\n}}'
        envelope = read_envelope(enveloped(stated(Resource(name="a", digests={"sha256": ONE}), text.encode()), []), shown="test")
        assert "jinja2" in [one[0] for one in listing(envelope, shown="test")[1]]


def test_an_sbom_of_ours_is_not_parsed_whole() -> None:
    """Tools are components, too: for a list of them in the metadata every SBOM would be read the slow way."""
    tools = {"components": [{"bom-ref": "tool:uv", "name": "uv", "type": "application"}]}
    document = {"components": [library("jinja2")], "metadata": {"tools": tools}, "specVersion": "1.6"}
    payload = stated(Resource(name="Orders.zip", digests={"sha256": ONE}), finish(document, None))
    statement, listed = listing(read_envelope(enveloped(payload, []), shown="test"), shown="test")
    assert statement.predicate["components"] == []
    assert [one[0] for one in listed] == ["jinja2"]


def test_a_component_with_two_names_is_neither() -> None:
    """Of two, readers choose differently; a line that holds a backslash is read as JSON."""
    payload = stated(
        Resource(name="Orders.zip", digests={"sha256": ONE}), finish({"components": [library("jinja2")], "specVersion": "1.6"}, None)
    )
    twice = payload.replace(b'"name": "jinja2"', b'"description": "\\u0041", "name": "flask", "name": "jinja2"', 1)
    assert twice != payload
    with pytest.raises(IntegrityError, match="not JSON that has one meaning"):
        listing(read_envelope(enveloped(twice, []), shown="test"), shown="test")


def test_more_than_one_question_comes_back_in_order(store: Store) -> None:
    digests = sorted(kept(store, f"{number:064x}", library(f"p{number}")) for number in range(60))
    answers = list(shipped(store, TRUSTED))
    assert [one.sha256 for one, _ in answers] == digests
    assert all(isinstance(answer, Shipped) for _, answer in answers)


def test_a_second_run_reads_nothing_again(store: Store, cache: Cache) -> None:
    kept(store, ONE, library("jinja2"))
    first = found(store, cache=cache)
    cache.flush()
    SERVER.close()
    nothing = ForkServer([sys.executable, "-c", "raise SystemExit('it was asked')"], name="nobody")
    assert found(store, cache=cache, server=nothing) == first


def test_what_another_policy_was_told_is_not_taken(store: Store, cache: Cache) -> None:
    """Else an SBOM that was taken unsigned would be vouched for by whoever is trusted later."""
    kept(store, ONE, library("jinja2"), by=None)
    assert [type(one) for one in found(store, NOBODY, cache=cache)] == [Shipped]
    assert [type(one) for one in found(store, TRUSTED, cache=cache)] == [IntegrityError]


def test_a_poisoned_cache_changes_nothing(store: Store, cache: Cache) -> None:
    kept(store, ONE, library("jinja2"))
    first = found(store, cache=cache)
    cache.flush()
    cache.close()
    with closing(sqlite3.connect(cache.path)) as base, base:
        assert base.execute("update answer set value = zeroblob(10)").rowcount == 1
    assert found(store, cache=cache) == first


def test_what_was_refused_is_asked_again(store: Store, cache: Cache) -> None:
    kept(store, ONE, library("jinja2"))
    [path] = Path(store.shown).rglob("*.json")
    whole = path.read_bytes()
    path.write_bytes(b"{}")
    assert [type(one) for one in found(store, cache=cache)] == [IntegrityError]
    path.write_bytes(whole)
    assert [type(one) for one in found(store, cache=cache)] == [Shipped]


def test_a_reader_that_dies_is_incomplete_for_each_and_never_nothing(store: Store) -> None:
    kept(store, ONE, library("a"))
    kept(store, TWO, library("b"))
    code = "from shipsafe.adapters.forkserver import serve\nimport os\nserve(lambda _: os.abort())"
    dying = ForkServer([sys.executable, "-c", code], name="reading an SBOM")
    try:
        assert [type(one) for one in found(store, server=dying)] == [IncompleteError, IncompleteError]
    finally:
        dying.close()


def test_a_reader_that_cannot_start_is_incomplete_and_never_nothing(store: Store) -> None:
    kept(store, ONE, library("a"))
    kept(store, TWO, library("b"))
    nobody = ForkServer(["/nowhere/python"], name="reading an SBOM")
    assert [type(one) for one in found(store, server=nobody)] == [IncompleteError, IncompleteError]


def test_sboms_of_a_bucket_are_read_as_those_of_a_folder(local_aws: Endpoint, tmp_path: Path) -> None:
    assert local_aws.url
    client("s3").create_bucket(Bucket="acme-evidence", CreateBucketConfiguration={"LocationConstraint": REGION})
    there = open_store("s3://acme-evidence", home=tmp_path)
    kept(there, ONE, library("jinja2"))
    kept(there, TWO, library("bad"), by="mallory")
    answers = [answer for _, answer in shipped(there, TRUSTED)]
    SERVER.close()
    assert sorted(type(one).__name__ for one in answers) == ["IntegrityError", "Shipped"]
