"""Pages of package indexes: JSON and HTML, with and without times, and what a hostile one can do."""

from datetime import UTC, datetime

import pytest

from shipsafe.adapters import index_page
from shipsafe.adapters.index_page import IndexFile, as_time, fetch_file, read_links, read_page
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.packing.sdists import check_digest, version_of
from tests.packing.loopback import index, sha256, wheel

PLAIN = wheel("plain", "1.0")


def read(monkeypatch: pytest.MonkeyPatch, body: bytes) -> tuple[IndexFile, ...]:
    monkeypatch.setattr(index_page, "fetch", lambda *_, **__: body)
    return read_page("https://packages.example.com/simple", "plain")


def test_json_and_html_say_the_same_but_for_the_time() -> None:
    with index(PLAIN) as html, index(PLAIN, uploaded={PLAIN[0]: "2026-01-02T03:04:05.678900Z"}) as json:
        (one,), (other,) = read_page(html, "plain"), read_page(json, "plain")
        assert fetch_file(other, json, auth=None, limit=10_000) == PLAIN[1]
    assert one.name == other.name == PLAIN[0]
    assert one.hashes == other.hashes == {sha256(PLAIN[1])}
    assert one.uploaded is None
    assert other.uploaded == datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)


def test_a_name_that_the_index_does_not_know_is_an_error() -> None:
    with index(PLAIN) as url, pytest.raises(IncompleteError, match="answered 404"):
        read_page(url, "other")


def test_a_page_is_not_read_over_plain_http() -> None:
    with pytest.raises(ConfigError, match="not an https URL"):
        read_links("http://packages.example.com/wheels")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"files": 1}',
        b'{"files": [1]}',
        b'{"files": [{"filename": 1, "url": {}, "hashes": 3}]}',
        b"\xff",
        b"{" + b'"a":[' * 100_000,
    ],
)
def test_a_page_that_cannot_be_read_is_an_error_and_no_crash(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    with pytest.raises(IncompleteError, match=r"https://packages.example.com/simple/plain/ cannot be read"):
        read(monkeypatch, body)


def test_times_that_are_none_are_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"files": [{"filename": "plain-1.0.tar.gz", "url": "x", "hashes": {}, "upload-time": "yesterday"}]}'
    (one,) = read(monkeypatch, body)
    assert (one.uploaded, one.hashes) == (None, frozenset())
    assert as_time("2026-01-02T00:00:00+02:00") == datetime(2026, 1, 1, 22, tzinfo=UTC)
    assert as_time(7) is None


def test_credentials_go_to_the_host_of_the_index_alone() -> None:
    with index(PLAIN, user=("a", "b")) as closed, index(PLAIN) as other:
        (own,) = read_page(closed, "plain", auth=("a", "b"))
        assert fetch_file(own, closed, auth=("a", "b"), limit=10_000) == PLAIN[1]
        with pytest.raises(IncompleteError, match="answered 401"):
            fetch_file(own, other, auth=("a", "b"), limit=10_000)


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("plain-1.0.tar.gz", "plain", "1.0"),
        ("plain-1.0.zip", "plain", "1.0"),
        ("some_thing-1.0.tar.gz", "some-thing", "1.0"),
        ("plain-1.0-py3-none-any.whl", "plain", None),
        ("../plain-1.0.tar.gz", "plain", None),
        ("plain-1.0/../../x.tar.gz", "plain", None),
        ("other-1.0.tar.gz", "plain", None),
        ("plain.tar.gz", "plain", None),
    ],
)
def test_which_file_is_a_source_distribution(file: str, name: str, version: str | None) -> None:
    found = version_of(file, name)
    assert (None if found is None else str(found)) == version


def test_a_digest_is_compared_where_there_is_one() -> None:
    check_digest(b"x", frozenset(), "plain")
    check_digest(b"x", {sha256(b"x"), sha256(b"y")}, "plain")
    with pytest.raises(IntegrityError, match="plain is not what its hash says"):
        check_digest(b"x", {sha256(b"y")}, "plain")
