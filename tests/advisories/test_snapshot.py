"""The snapshot in the cache: pulled whole or not at all, dated by its last pull, and told apart from damage."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipsafe.advisories import snapshot
from shipsafe.errors import ConfigError, IncompleteError
from tests.advisories.writing import export, feed, record

FIRST = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE = record("demo", {"introduced": "0"}, id="PYSEC-2026-1", aliases=["CVE-2026-1"])
TWO = record("other", {"introduced": "0"}, id="PYSEC-2026-2")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder that nobody has made yet."""
    return tmp_path / "cache"


def pull(source: str | Path | None, cache: Path, when: datetime = FIRST) -> snapshot.Snapshot:
    """A pull at that moment that may not wait."""
    return snapshot.pull(str(source) if source else None, cache=cache, now=lambda: when, sleep=_never)


def ids(cache: Path, name: str) -> list[str]:
    """Ids of the records that `advisories show NAME` would find."""
    return [one["id"] for one in snapshot.find(name, cache=cache)]


def _never(seconds: float) -> None:
    pytest.fail(f"waited for {seconds} seconds")


def test_a_pulled_export_is_found_by_any_id_and_dated_by_the_pull(cache: Path, tmp_path: Path) -> None:
    with feed(export(tmp_path / "all.zip", ONE, TWO).read_bytes()) as server:
        pulled = pull(server.url, cache)
    assert (pulled.records, pulled.pulled, pulled.etag, pulled.unreadable) == (2, "2026-11-01T12:00:00+00:00", '"one"', ())
    assert snapshot.current(cache) == pulled
    assert ids(cache, "CVE-2026-1") == ["PYSEC-2026-1"]
    assert ids(cache, "CVE-1999-1") == []


def test_a_second_pull_sends_the_etag_and_an_unchanged_export_is_only_dated_anew(cache: Path, tmp_path: Path) -> None:
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        first = pull(server.url, cache)
        second = pull(server.url, cache, LATER)
    assert server.asked == [None, '"one"']
    assert server.gave == [200, 304]
    assert second.pulled == "2026-11-20T12:00:00+00:00"
    assert (second.digest, second.store, second.records) == (first.digest, first.store, 1)
    assert ids(cache, "PYSEC-2026-1") == ["PYSEC-2026-1"]


def test_a_changed_export_replaces_the_old_one_which_who_has_begun_with_it_asks_to_the_end(cache: Path, tmp_path: Path) -> None:
    """The next pull leaves nothing of it."""
    with feed(export(tmp_path / "a.zip", ONE).read_bytes()) as server:
        begun = pull(server.url, cache)
        server.body, server.etag = export(tmp_path / "b.zip", TWO).read_bytes(), '"two"'
        pulled = pull(server.url, cache, LATER)
        assert [one["id"] for one in snapshot.open_store(begun, cache).by_any_id(["PYSEC-2026-1"])] == ["PYSEC-2026-1"]
        assert pulled.etag == '"two"'
        assert (ids(cache, "PYSEC-2026-1"), ids(cache, "PYSEC-2026-2")) == ([], ["PYSEC-2026-2"])
        pull(server.url, cache, LATER)
    assert server.gave == [200, 200, 304]
    assert sorted(path.name for path in (cache / "advisories").iterdir()) == sorted(["current.json", "lock", pulled.store])


def test_who_pulls_beside_somebody_who_clears_the_cache_pulls_it_whole(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        pull(server.url, cache)
        current = snapshot.current

        def cleared_then(folder: Path) -> snapshot.Snapshot | None:
            found = current(folder)
            for store in (cache / "advisories").glob("*.sqlite"):
                store.unlink()
            return found

        monkeypatch.setattr(snapshot, "current", cleared_then)
        assert pull(server.url, cache, LATER).records == 1
    assert server.gave == [200, 200]


def test_the_etag_of_one_address_is_not_sent_to_another(cache: Path, tmp_path: Path) -> None:
    body = export(tmp_path / "all.zip", ONE).read_bytes()
    with feed(body) as server, feed(body) as mirror:
        pull(server.url, cache)
        pull(mirror.url, cache)
    assert mirror.asked == [None]


def test_a_server_that_fails_is_asked_again_after_a_pause(cache: Path, tmp_path: Path) -> None:
    waited: list[float] = []
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        server.failures = 2
        pulled = snapshot.pull(server.url, cache=cache, now=lambda: FIRST, sleep=waited.append)
    assert (pulled.records, server.gave, waited) == (1, [500, 500, 200], [1.0, 3.0])


def test_a_server_that_keeps_failing_leaves_the_old_snapshot_in_use_and_it_says_so(cache: Path, tmp_path: Path) -> None:
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        before = pull(server.url, cache)
        server.failures = 99
        with pytest.raises(IncompleteError, match=r"answered 500\. The snapshot of 2026-11-01 stays in use\."):
            snapshot.pull(server.url, cache=cache, now=lambda: LATER, sleep=lambda _: None)
    assert server.gave == [200, 500, 500, 500]
    assert snapshot.current(cache) == before


def test_a_first_pull_that_fails_does_not_speak_of_an_old_snapshot(cache: Path) -> None:
    with feed(b"") as server:
        server.failures = 99
        with pytest.raises(IncompleteError) as caught:
            snapshot.pull(server.url, cache=cache, now=lambda: FIRST, sleep=lambda _: None)
    assert "stays in use" not in str(caught.value)
    assert snapshot.current(cache) is None


def test_who_cannot_reach_the_export_is_told_how_to_bring_a_copy(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with feed(b"") as server:
        server.failures = 99
        monkeypatch.setattr(snapshot, "EXPORT", server.url)
        with pytest.raises(IncompleteError) as caught:
            snapshot.pull(None, cache=cache, now=lambda: FIRST, sleep=lambda _: None)
    way = "Where this machine has no way there, `shipsafe advisories pull --from FILE` takes a copy."
    assert caught.value.remedy == f"Try again later. {way}"


def _truncated(folder: Path) -> Path:
    path = export(folder / "truncated.zip", ONE, TWO)
    path.write_bytes(path.read_bytes()[:-60])
    return path


def _corrupt(folder: Path) -> Path:
    path = export(folder / "corrupt.zip", ONE, TWO)
    path.write_bytes(path.read_bytes().replace(b"PYSEC-2026-1 in demo", b"PYSEC-2026-1 in ****"))  # stored: the checksum is wrong
    return path


def _slip(folder: Path) -> Path:
    return export(folder / "slip.zip", ONE, others={"../../slipped.json": json.dumps(TWO).encode()})


def _absolute(folder: Path) -> Path:
    return export(folder / "absolute.zip", ONE, others={"/slipped.json": json.dumps(TWO).encode()})


def _text(folder: Path) -> Path:
    (folder / "text.zip").write_text("<html>Sign in to the network</html>")
    return folder / "text.zip"


def _mostly_unreadable(folder: Path) -> Path:
    return export(folder / "unreadable.zip", ONE, others={f"{number}.json": b"[" for number in range(11)})


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (_truncated, "Not a usable zip"),
        (_corrupt, "Not a usable zip"),
        (_slip, r"'\.\./\.\./slipped\.json' leads out of the archive"),
        (_absolute, r"'/slipped\.json' leads out of the archive"),
        (_text, "Not a usable zip"),
        (_mostly_unreadable, "11 members are no OSV records"),
    ],
)
@pytest.mark.parametrize("served", [True, False], ids=["from a server", "from a file"])
def test_a_bad_zip_leaves_the_old_snapshot_in_use_and_it_says_so(
    bad: Callable[[Path], Path], reason: str, cache: Path, tmp_path: Path, *, served: bool
) -> None:
    before = pull(export(tmp_path / "all.zip", ONE), cache)
    path = bad(tmp_path)
    with feed(path.read_bytes()) as server, pytest.raises(IncompleteError, match=reason) as caught:
        pull(server.url if served else path, cache, LATER)
    assert caught.value.what.endswith("The snapshot of 2026-11-01 stays in use.")
    assert snapshot.current(cache) == before
    assert ids(cache, "PYSEC-2026-1") == ["PYSEC-2026-1"]
    assert sorted(path.name for path in (cache / "advisories").iterdir()) == sorted(["current.json", "lock", before.store])
    assert not list(tmp_path.rglob("slipped.json"))


def test_a_download_that_ends_early_is_tried_again_and_never_indexed(cache: Path, tmp_path: Path) -> None:
    waited: list[float] = []
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        server.missing = 10
        with pytest.raises(IncompleteError, match="cannot be fetched"):
            snapshot.pull(server.url, cache=cache, now=lambda: FIRST, sleep=waited.append)
    assert (server.gave, waited) == ([200, 200, 200], [1.0, 3.0])


def test_a_few_members_that_are_no_records_are_named(cache: Path, tmp_path: Path) -> None:
    pulled = pull(export(tmp_path / "all.zip", ONE, others={"broken.json": b"["}), cache)
    assert (pulled.records, pulled.unreadable) == (1, ("broken.json",))


def test_a_snapshot_can_come_from_a_file_and_a_missing_file_is_named(cache: Path, tmp_path: Path) -> None:
    assert pull(export(tmp_path / "all.zip", ONE), cache).source == str(tmp_path / "all.zip")
    with pytest.raises(IncompleteError, match=r"none\.zip: There is no such file"):
        pull(tmp_path / "none.zip", cache)


def test_only_https_is_fetched_but_from_this_machine(cache: Path) -> None:
    with pytest.raises(ConfigError, match=r"http://example\.com/all\.zip is not an https URL"):
        pull("http://user:secret@example.com/all.zip", cache)


@pytest.mark.parametrize(
    "damage",
    ["store gone", "store cut", "store of another", "index no JSON", "index of a list", "date no date", "no zone"],
)
def test_a_damaged_cache_is_no_snapshot_and_the_next_pull_fetches_it_whole(damage: str, cache: Path, tmp_path: Path) -> None:
    with feed(export(tmp_path / "all.zip", ONE, TWO).read_bytes()) as server:
        pulled = pull(server.url, cache)
        index, store = cache / "advisories/current.json", cache / "advisories" / pulled.store
        match damage:
            case "store gone":
                store.unlink()
            case "store cut":
                store.write_bytes(store.read_bytes()[:5000])
            case "store of another":
                index.write_text(index.read_text().replace('"records": 2', '"records": 3'))
            case "index no JSON":
                index.write_text("{")
            case "index of a list":
                index.write_text("[]")
            case "date no date":
                index.write_text(index.read_text().replace("2026-11-01T12:00:00+00:00", "yesterday"))
            case "no zone":
                index.write_text(index.read_text().replace("+00:00", ""))
        found = snapshot.current(cache)
        if damage == "store cut":  # seen when it is opened: most runs ask nothing that an earlier one has not asked
            assert found is not None
            with pytest.raises(IncompleteError, match="not what was pulled: it is damaged"):
                snapshot.open_store(found, cache)
        else:
            assert found is None
        assert pull(server.url, cache, LATER).records == 2
    assert server.gave == [200, 200]
    assert ids(cache, "CVE-2026-1") == ["PYSEC-2026-1"]


def test_a_snapshot_that_another_user_pulled_is_none(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can write to a cache could else take an advisory out of it."""
    with feed(export(tmp_path / "all.zip", ONE, TWO).read_bytes()) as server:
        pull(server.url, cache)
        monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "another"))
        assert snapshot.current(cache) is None
        monkeypatch.setenv("SHIPSAFE_CACHE_KEY", "shared by the protected jobs")
        assert snapshot.current(cache) is None
        pull(server.url, cache)
        monkeypatch.setenv("SHIPSAFE_CONFIG_DIR", str(tmp_path / "a third"))
        assert snapshot.current(cache) is not None


def test_without_a_snapshot_a_search_says_what_to_do(cache: Path) -> None:
    with pytest.raises(IncompleteError, match=r"There is no advisory snapshot here\. Run `shipsafe advisories pull`"):
        snapshot.find("CVE-2026-1", cache=cache)


def test_the_zip_that_was_pulled_can_be_kept_for_other_machines_also_where_nothing_is_new(cache: Path, tmp_path: Path) -> None:
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        first = pull(server.url, cache)
        again = snapshot.pull(server.url, cache=cache, now=lambda: LATER, keep=tmp_path / "kept/all.zip", sleep=_never)
    assert (tmp_path / "kept/all.zip").read_bytes() == (tmp_path / "all.zip").read_bytes()
    assert pull(tmp_path / "kept/all.zip", tmp_path / "other").digest == again.digest == first.digest
