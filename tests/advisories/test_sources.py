"""Each source that a policy can name: what it answers, and that "could not look" is never "nothing found"."""

import json
import socket
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pip_audit._service
import pytest
from pip_audit._service import PyPIService, VulnerabilityService

from shipsafe.advisories import snapshot, sources
from shipsafe.advisories.sources import open_advisories
from shipsafe.advisories.store import build_store
from shipsafe.errors import IncompleteError
from shipsafe.flows.housekeeping import clear
from shipsafe.model.advisory import Advisories, Answer, Pin
from shipsafe.model.policy import AdvisoryPolicy, AdvisorySource
from shipsafe.model.severity import Severity
from tests.advisories.osv_matcher import is_vulnerable
from tests.advisories.osv_server import osv_server
from tests.advisories.writing import export, feed, record
from tests.answers import answers_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()
V3 = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
ONE = record("demo", {"introduced": "0"}, {"fixed": "2.0"}, id="PYSEC-2026-1", aliases=["CVE-2026-1"])
TWIN = record("demo", {"introduced": "0"}, {"fixed": "2.0"}, id="GHSA-aaaa-bbbb-cccc", aliases=["CVE-2026-1"], severity=[V3])
PINS = [Pin(name="clean", version="1.0"), Pin(name="demo", version="1.0"), Pin(name="demo", version="2.0")]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder that nobody has made yet."""
    return tmp_path / "cache"


def opened(cache: Path, *, offline: bool = False, said: list[str] | None = None, **settings: Any) -> Advisories:
    """The source that these settings name, on 2026-11-21, without waiting."""
    policy = AdvisoryPolicy(**settings)
    say = (said if said is not None else []).append
    return open_advisories(
        policy, cache=cache, answers=answers_of(cache), offline=offline, today=TODAY, now=lambda: NOW, say=say, sleep=lambda _: None
    )


def folder(cache: Path, path: Path, **settings: Any) -> Advisories:
    """A folder or zip of records."""
    return opened(cache, offline=True, source=AdvisorySource.FOLDER, path=str(path), **settings)


def osv(cache: Path, url: str, waited: list[float] | None = None) -> Advisories:
    """pip-audit's OSV service at that address."""
    return open_advisories(
        AdvisoryPolicy(source=AdvisorySource.OSV), cache=cache, answers=answers_of(cache), offline=False, today=TODAY, now=lambda: NOW,
        say=print, osv_url=url, sleep=(waited if waited is not None else []).append,
    )  # fmt: skip


def found(answers: Sequence[Answer]) -> list[list[str]]:
    """Ids of the advisories of each answer."""
    return [[one.id for one in answer.advisories] for answer in answers]


def _folder_of(path: Path) -> Path:
    (path / "records/deep").mkdir(parents=True)
    (path / "records/deep/one.json").write_text(json.dumps(ONE))
    (path / "records/README.md").write_text("Ours.")
    return path / "records"


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_folder_and_a_zip_of_records_answer_alike(kind: str, cache: Path, tmp_path: Path) -> None:
    path = _folder_of(tmp_path) if kind == "folder" else export(tmp_path / "all.zip", ONE)
    source = folder(cache, path, stated_date=date(2026, 11, 20))
    assert found(source.ask(PINS)) == [[], ["PYSEC-2026-1"], []]
    assert (source.info.source, source.info.label, source.info.date, source.info.records) == (
        "folder",
        "OSV records of 2026-11-20",
        "2026-11-20",
        1,
    )
    assert (source.info.digest or "").startswith("sha256:")


def test_the_digest_of_a_folder_is_of_what_its_records_say(cache: Path, tmp_path: Path) -> None:
    path = _folder_of(tmp_path)
    before = folder(cache, path)
    (path / "deep/one.json").write_text(json.dumps(TWIN))
    after = folder(cache, path)
    assert before.info.digest != after.info.digest
    assert (found(before.ask(PINS))[1], found(after.ask(PINS))[1]) == (["PYSEC-2026-1"], ["CVE-2026-1"])


def test_a_label_of_the_policy_is_what_the_screen_says(cache: Path, tmp_path: Path) -> None:
    assert folder(cache, _folder_of(tmp_path), label="example data").info.label == "example data"


def test_an_undated_folder_is_of_unknown_age_and_strict_refuses_it(cache: Path, tmp_path: Path) -> None:
    path = _folder_of(tmp_path)
    info = folder(cache, path).info
    assert (info.label, info.date) == ("OSV records of unknown date", None)
    with pytest.raises(IncompleteError, match="The age of the advisories is not known"):
        folder(cache, path, unknown_age_allowed=False)


@pytest.mark.parametrize(("stated", "allowed"), [(date(2026, 11, 14), True), (date(2026, 11, 13), False)])
def test_a_dated_folder_is_refused_when_it_is_older_than_the_policy_allows(
    stated: date, cache: Path, tmp_path: Path, *, allowed: bool
) -> None:
    path = _folder_of(tmp_path)
    if allowed:
        assert folder(cache, path, stated_date=stated, unknown_age_allowed=False).info.date == stated.isoformat()
    else:
        with pytest.raises(IncompleteError, match="The advisories are of 2026-11-13, older than the policy allows"):
            folder(cache, path, stated_date=stated)
    assert folder(cache, path, stated_date=stated, max_age=None).info.records == 1


def test_a_record_of_a_folder_that_cannot_be_read_is_named_and_nothing_is_answered(cache: Path, tmp_path: Path) -> None:
    path = _folder_of(tmp_path)
    (path / "broken.json").write_text('{"id": ')
    with pytest.raises(IncompleteError, match=r"broken\.json is not an OSV record\. Correct or remove it"):
        folder(cache, path)


def test_a_link_in_a_folder_is_not_followed(cache: Path, tmp_path: Path) -> None:
    path = _folder_of(tmp_path)
    (tmp_path / "outside.json").write_text(json.dumps(TWIN))
    (path / "link.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(IncompleteError, match=r"link\.json is not an OSV record"):
        folder(cache, path)


def test_an_index_that_somebody_clears_before_it_is_asked_is_made_again(cache: Path, tmp_path: Path) -> None:
    advisories = folder(cache, export(tmp_path / "all.zip", ONE))
    clear(cache)
    assert found(advisories.ask(PINS)) == [[], ["PYSEC-2026-1"], []]


def test_a_folder_that_is_not_there_is_named(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match="The advisories that the policy names are not there"):
        folder(cache, tmp_path / "none")


def test_a_fresh_snapshot_is_asked_without_a_word_and_offline(cache: Path, tmp_path: Path) -> None:
    snapshot.pull(str(export(tmp_path / "all.zip", ONE)), cache=cache, now=lambda: NOW - timedelta(days=7))
    said: list[str] = []
    source = opened(cache, offline=True, said=said)
    assert found(source.ask(PINS)) == [[], ["PYSEC-2026-1"], []]
    assert (source.info.source, source.info.label, source.info.records) == ("snapshot", "OSV snapshot of 2026-11-14", 1)
    assert said == []


@pytest.mark.parametrize(
    ("old", "words"),
    [(True, "the snapshot is of 2026-11-13."), (False, "there is no snapshot yet.")],
)
def test_a_stale_or_missing_snapshot_is_pulled_once_and_it_says_so(
    words: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, old: bool
) -> None:
    if old:
        snapshot.pull(str(export(tmp_path / "old.zip", TWIN)), cache=cache, now=lambda: NOW - timedelta(days=7, hours=13))
    said: list[str] = []
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        monkeypatch.setattr(snapshot, "EXPORT", server.url)
        source = opened(cache, said=said)
        opened(cache, said=said)
    assert said == [f"Pulling advisories: {words}"]
    assert server.gave == [200]
    assert source.info.date == "2026-11-21T12:00:00+00:00"
    assert found(source.ask(PINS)) == [[], ["PYSEC-2026-1"], []]


def test_a_stale_snapshot_that_cannot_be_renewed_is_not_asked(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot.pull(str(export(tmp_path / "old.zip", ONE)), cache=cache, now=lambda: NOW - timedelta(days=30))
    with feed(b"") as server:
        server.failures = 99
        monkeypatch.setattr(snapshot, "EXPORT", server.url)
        with pytest.raises(IncompleteError, match=r"answered 500\. The snapshot of 2026-10-22 stays in use"):
            opened(cache)


def test_a_policy_without_a_limit_takes_a_snapshot_of_any_age(cache: Path, tmp_path: Path) -> None:
    snapshot.pull(str(export(tmp_path / "old.zip", ONE)), cache=cache, now=lambda: NOW - timedelta(days=3000))
    assert found(opened(cache, offline=True, max_age=None).ask(PINS))[1] == ["PYSEC-2026-1"]


def test_offline_nothing_is_pulled_and_no_service_is_asked(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with feed(export(tmp_path / "all.zip", ONE).read_bytes()) as server:
        monkeypatch.setattr(snapshot, "EXPORT", server.url)
        with pytest.raises(
            IncompleteError, match="There is no advisory snapshot here that was pulled under this user's key, and --offline opens no socket"
        ):
            opened(cache, offline=True)
        snapshot.pull(str(tmp_path / "all.zip"), cache=cache, now=lambda: NOW - timedelta(days=8))
        with pytest.raises(IncompleteError, match="The advisory snapshot is of 2026-11-13, and --offline opens no socket"):
            opened(cache, offline=True)
    assert server.asked == []
    for source in (AdvisorySource.OSV, AdvisorySource.PYPI):
        with pytest.raises(IncompleteError, match=f"The policy asks {source} for advisories, and --offline opens no socket"):
            opened(cache, offline=True, source=source)


def test_a_snapshot_that_is_damaged_while_it_is_used_is_incomplete_and_never_clean(cache: Path, tmp_path: Path) -> None:
    pulled = snapshot.pull(str(export(tmp_path / "all.zip", ONE)), cache=cache, now=lambda: NOW)
    source = opened(cache, offline=True)
    (cache / "advisories" / pulled.store).write_bytes(b"not a database at all" * 500)
    with pytest.raises(
        IncompleteError, match=r"The advisory snapshot is not what was pulled: it is damaged\. Run `shipsafe advisories pull`"
    ):
        source.ask(PINS)


def test_the_osv_service_answers_like_a_snapshot_and_its_twins_rate_it(cache: Path) -> None:
    records = {one["id"]: one for one in (ONE, TWIN)}
    with osv_server(lambda name, version: [one for one in records.values() if is_vulnerable(one, name, version)], records.get) as url:
        source = osv(cache, url)
        answers = source.ask(PINS)
    assert found(answers) == [[], ["PYSEC-2026-1"], []]
    [advisory] = answers[1].advisories
    assert advisory.aliases == ("CVE-2026-1", "GHSA-aaaa-bbbb-cccc")
    assert (advisory.score, advisory.severity, advisory.fixed_versions) == (9.8, Severity.CRITICAL, ("2.0",))
    assert (source.info.source, source.info.date, source.info.digest) == ("osv", None, None)


def test_a_rating_that_cannot_be_had_leaves_an_advisory_unscored_and_found(cache: Path) -> None:
    with osv_server(lambda name, _: [ONE] if name == "demo" else []) as url:
        [_, answer, _] = osv(cache, url).ask(PINS)
    assert [(one.id, one.severity) for one in answer.advisories] == [("PYSEC-2026-1", Severity.UNSCORED)]


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_an_osv_service_that_fails_is_asked_again_then_incomplete_and_never_clean(status: int, cache: Path) -> None:
    waited: list[float] = []
    asked: list[str] = []

    def query(name: str, _: str) -> list[Any]:
        asked.append(name)
        return []

    with (
        osv_server(query, status=status) as url,
        pytest.raises(IncompleteError, match="pip-audit could not ask its service") as caught,
    ):
        osv(cache, url, waited).ask(PINS)
    assert (asked, waited) == (["clean"] * 3, [1.0, 3.0])
    assert caught.value.remedy == "Try again later."


def test_an_osv_service_that_does_not_answer_in_time_is_incomplete(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_TIMEOUT", (600, 0.05))  # to connect, and to read
    with osv_server(lambda *_: [], silent=True) as url, pytest.raises(IncompleteError, match=r"\(ReadTimeout"):
        osv(cache, url).ask(PINS)


def test_an_osv_service_that_is_not_there_is_incomplete(cache: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens
        service = osv(cache, f"http://127.0.0.1:{bound.getsockname()[1]}/v1/query")
        with pytest.raises(IncompleteError, match=r"\(ConnectionError"):
            service.ask(PINS)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (record("demo", {"introduced": "0"}, {"fixed": "2.0-n653"}), "InvalidVersion"),
        ({"id": "X-1", "affected": [{"versions": ["1.0"]}]}, "KeyError"),
    ],
)
def test_a_record_on_which_pip_audit_crashes_is_incomplete_and_never_clean(bad: dict[str, Any], error: str, cache: Path) -> None:
    waited: list[float] = []
    with osv_server(lambda *_: [bad]) as url, pytest.raises(IncompleteError, match=rf"\({error}"):
        osv(cache, url, waited).ask([Pin(name="demo", version="1.0")])
    assert waited == []


def test_advisories_that_change_while_they_are_read_answer_nothing(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, build = tmp_path / "records", build_store
    source.mkdir()
    (source / "one.json").write_text(json.dumps(ONE))

    def build_while_somebody_writes(path: Path, target: Path) -> Any:
        older = record("other", {"introduced": "0"})
        (path / "one.json").write_text(json.dumps(older))
        return build(path, target)

    monkeypatch.setattr(sources, "build_store", build_while_somebody_writes)
    with pytest.raises(IncompleteError, match=r"The advisories changed while they were read\. Run again"):
        folder(cache, source)
    monkeypatch.undo()
    (source / "one.json").write_text(json.dumps(ONE))
    assert found(folder(cache, source).ask(PINS)) == [[], ["PYSEC-2026-1"], []]


def test_what_lies_in_the_cache_folder_cannot_tell_pip_audit_that_nothing_is_vulnerable(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    def service(folder: Path, timeout: int) -> VulnerabilityService:
        folders.append(folder)
        return PyPIService(folder, timeout)

    monkeypatch.setattr(pip_audit._service, "PyPIService", service)
    monkeypatch.setattr(PyPIService, "query", lambda _, spec: (spec, []))
    opened(cache, source=AdvisorySource.PYPI).ask(PINS)
    opened(cache, source=AdvisorySource.PYPI).ask(PINS[:1])
    assert folders[0] == folders[1]
    assert folders[0].stat().st_mode & 0o077 == 0
    assert not folders[0].is_relative_to(cache)
    assert not (cache / "pip-audit").exists()
