"""Records as they come: which versions they speak of, how bad they are, and what dirt they carry."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shipsafe.advisories import records
from shipsafe.advisories.audit import StoreService, audit
from shipsafe.advisories.store import Store, build_store
from shipsafe.errors import IncompleteError
from shipsafe.model.advisory import Advisory, Answer, Pin
from shipsafe.model.severity import Severity
from tests.advisories.writing import export, record

V2 = {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}  # 7.5
V3 = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}  # 9.8
V3_LOW = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}  # 1.8
V4 = {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"}  # 6.9
UNTIL_2 = ({"introduced": "0"}, {"fixed": "2.0"})


def ask(folder: Path, version: str, *found: Mapping[str, Any], name: str = "demo") -> Answer:
    """The answer about one version from a snapshot of these records."""
    build_store(export(folder / "all.zip", *found), folder / "store.sqlite")
    store = Store(folder / "store.sqlite")
    [answer] = audit([Pin(name=name, version=version)], StoreService(store), store.by_any_id)
    return answer


def only(answer: Answer) -> Advisory:
    """Its one advisory."""
    [advisory] = answer.advisories
    return advisory


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        (UNTIL_2, ["0.0.1", "1.9.9", "2.0rc1", "2.0.dev1"], ["2.0", "2", "2.0.0", "2.0.post1", "3"]),
        (({"introduced": "1.5"}, {"fixed": "2.0"}), ["1.5", "1.5.0", "1.5.post1", "1.9"], ["1.4", "1.5rc1", "2.0"]),
        (({"introduced": "0"}, {"last_affected": "2.0"}), ["1", "2.0", "2.0.0"], ["2.0.1", "2.0.post1"]),
        (({"introduced": "1"},), ["1", "99"], ["0.9", "1a1"]),
        (({"introduced": "0"}, {"fixed": "1"}, {"introduced": "2"}, {"fixed": "3"}), ["0.5", "2", "2.9"], ["1", "1.9", "3"]),
        (({"fixed": "3"}, {"introduced": "2"}, {"fixed": "1"}, {"introduced": "0"}), ["0.5", "2.9"], ["1", "3"]),
        (({"introduced": "0"}, {"fixed": "1.10"}), ["1.9"], ["1.10"]),
        (({"introduced": "1!1.0"}, {"fixed": "1!2.0"}), ["1!1.5"], ["1.5", "1!2.0"]),
    ],
)
def test_a_range_holds_what_lies_in_it_and_no_more(events: tuple[Mapping[str, str], ...], inside: list[str], outside: list[str]) -> None:
    one = record("demo", *events)
    assert [version for version in (*inside, *outside) if records.affects(one, "demo", version)] == inside


def test_a_listed_version_is_affected_however_it_is_written_and_outside_the_ranges_too() -> None:
    one = record("demo", *UNTIL_2, versions=["5.0.0", "not-a-version"])
    assert [v for v in ("5", "5.0", "5.0.0", "not-a-version", "5.0.1", "other") if records.affects(one, "demo", v)] == [
        "5",
        "5.0",
        "5.0.0",
        "not-a-version",
    ]


def test_names_are_normalised_and_other_packages_and_ecosystems_are_not_meant() -> None:
    one = record("Jw.Util_x", *UNTIL_2)
    assert list(records.packages(one)) == ["jw-util-x"]
    assert records.affects(one, "jw-util-x", "1.0")
    assert not records.affects(one, "jw-util", "1.0")
    one["affected"][0]["package"]["ecosystem"] = "npm"
    assert list(records.packages(one)) == []
    assert not records.affects(one, "jw-util-x", "1.0")


def test_a_record_of_two_packages_speaks_of_each_in_its_own_range() -> None:
    one = record("demo", *UNTIL_2)
    one["affected"] += record("demo-extra", {"introduced": "0"}, {"fixed": "7"})["affected"]
    assert records.affects(one, "demo-extra", "5")
    assert not records.affects(one, "demo", "5")
    assert [str(version) for version in records.fixed_versions(one, "demo")] == ["2.0"]


def test_ranges_of_commits_are_passed_over() -> None:
    one = record("demo", {"introduced": "0"})
    one["affected"][0]["ranges"][0]["type"] = "GIT"
    assert not records.affects(one, "demo", "1.0")


def test_an_event_that_is_no_version_says_nothing_so_that_the_record_is_rather_reported_than_lost() -> None:
    one = record("demo", {"introduced": "0"}, {"last_affected": "2.9.0-NA"})
    assert records.affects(one, "demo", "1.0")
    assert records.affects(one, "demo", "3.0")
    assert records.fixed_versions(record("demo", {"introduced": "0"}, {"fixed": "2.0-n653"}), "demo") == set()


@pytest.mark.parametrize(
    "affected",
    [
        {"package": {"name": "demo", "ecosystem": "PyPI"}, "ranges": 5, "versions": 7},
        {"package": {"name": "demo", "ecosystem": "PyPI"}, "ranges": [None, "x", {"type": "ECOSYSTEM", "events": None}]},
        {"package": {"name": "demo", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": ["x", {"fixed": ["1"]}]}]},
        {"package": {"name": "demo", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "9" * 5000}]}]},
        {"package": {"name": "demo", "ecosystem": "PyPI"}, "severity": "high", "versions": [None, {}, "9" * 5000]},
        {"package": "demo"},
        {"package": {"name": None, "ecosystem": None}},
        {},
    ],
)
def test_a_record_of_a_strange_shape_is_survived(affected: Mapping[str, Any]) -> None:
    one = {"id": "X-1", "affected": [affected], "aliases": "x", "severity": {"a": 1}, "database_specific": []}
    assert records.is_record(one)
    assert not records.affects(one, "demo", "1.0")
    assert records.fixed_versions(one, "demo") == set()
    assert records.score(one) is None
    assert records.word_score(one) is None
    assert records.ids(one) == {"X-1"}


@pytest.mark.parametrize("value", [None, [], "x", {}, {"id": 5}, {"id": "X", "affected": None}, {"id": "X", "affected": ["x"]}])
def test_what_has_not_the_shape_of_a_record_is_none(value: object) -> None:
    assert not records.is_record(value)


@pytest.mark.parametrize(
    ("vectors", "score", "severity"),
    [
        ([V2], 7.5, Severity.HIGH),
        ([V3], 9.8, Severity.CRITICAL),
        ([V4], 6.9, Severity.MEDIUM),
        ([V3_LOW], 1.8, Severity.LOW),
        ([V4, V2, V3_LOW], 7.5, Severity.HIGH),
        ([], None, Severity.UNSCORED),
        ([{"type": "CVSS_V3", "score": "CVSS:3.1/nonsense"}], None, Severity.UNSCORED),
        ([{"type": "Ubuntu", "score": "high"}], None, Severity.UNSCORED),
        ([{"type": "CVSS_V3", "score": "9.8"}, V2], 7.5, Severity.HIGH),
    ],
)
def test_the_severity_is_the_band_of_the_highest_score(
    tmp_path: Path, vectors: list[dict[str, str]], score: float | None, severity: Severity
) -> None:
    advisory = only(ask(tmp_path, "1.0", record("demo", *UNTIL_2, severity=vectors)))
    assert (advisory.score, advisory.severity) == (score, severity)


@pytest.mark.parametrize(
    ("value", "severity"),
    [(10.0, "critical"), (9.0, "critical"), (8.9, "high"), (7.0, "high"), (6.9, "medium"), (4.0, "medium"), (3.9, "low"), (0.1, "low")],
)
def test_the_bands_are_those_of_cvss(value: float, severity: str) -> None:
    assert str(records.severity_of(value)) == severity


def test_a_vector_beside_the_package_counts_too(tmp_path: Path) -> None:
    one = record("demo", *UNTIL_2)
    one["affected"][0]["severity"] = [V3]
    assert only(ask(tmp_path, "1.0", one)).score == 9.8


def test_githubs_word_rates_what_has_no_vector(tmp_path: Path) -> None:
    one = record("demo", *UNTIL_2, id="GHSA-aaaa-bbbb-cccc", database_specific={"severity": "MODERATE"})
    advisory = only(ask(tmp_path, "1.0", one))
    assert (advisory.score, advisory.severity) == (None, Severity.MEDIUM)


def test_twins_are_one_finding_and_the_scored_one_rates_the_other(tmp_path: Path) -> None:
    pysec = record("demo", *UNTIL_2, id="PYSEC-2026-7", aliases=["CVE-2026-7", "GHSA-aaaa-bbbb-cccc"])
    ghsa = record("Demo", *UNTIL_2, id="GHSA-aaaa-bbbb-cccc", aliases=["CVE-2026-7"], severity=[V3])
    advisory = only(ask(tmp_path, "1.0", pysec, ghsa))
    assert advisory.id == "PYSEC-2026-7"
    assert advisory.aliases == ("CVE-2026-7", "GHSA-aaaa-bbbb-cccc")
    assert (advisory.score, advisory.severity) == (9.8, Severity.CRITICAL)


def test_records_that_share_an_alias_only_through_a_third_are_one_finding(tmp_path: Path) -> None:
    first = record("demo", *UNTIL_2, id="PYSEC-2026-1", aliases=["CVE-2026-1"])
    second = record("demo", *UNTIL_2, id="PYSEC-2026-2", aliases=["GHSA-aaaa-bbbb-cccc"])
    third = record("demo", *UNTIL_2, id="GHSA-aaaa-bbbb-cccc", aliases=["CVE-2026-1"])
    advisory = only(ask(tmp_path, "1.0", first, second, third))
    assert {advisory.id, *advisory.aliases} == {"PYSEC-2026-1", "PYSEC-2026-2", "CVE-2026-1", "GHSA-aaaa-bbbb-cccc"}


def test_a_twin_that_does_not_speak_of_the_version_still_rates_it(tmp_path: Path) -> None:
    pysec = record("demo", *UNTIL_2, id="PYSEC-2026-7", aliases=["CVE-2026-7"])
    cve = record("demo", {"introduced": "5"}, id="CVE-2026-7", severity=[V2])
    assert only(ask(tmp_path, "1.0", pysec, cve)).score == 7.5


def test_advisories_without_a_common_id_stay_apart_with_their_own_fixes(tmp_path: Path) -> None:
    first = record("demo", *UNTIL_2, id="PYSEC-2026-1")
    second = record("demo", {"introduced": "0"}, {"fixed": "1.10"}, {"introduced": "3"}, {"fixed": "3.9"}, id="PYSEC-2026-2")
    found = ask(tmp_path, "1.0", first, second).advisories
    assert [(one.id, one.fixed_versions) for one in found] == [("PYSEC-2026-1", ("2.0",)), ("PYSEC-2026-2", ("1.10", "3.9"))]


def test_withdrawn_records_count_not_even_for_the_score(tmp_path: Path) -> None:
    live = record("demo", *UNTIL_2, id="PYSEC-2026-1", aliases=["CVE-2026-1"])
    withdrawn = record("demo", *UNTIL_2, id="PYSEC-2026-2", aliases=["CVE-2026-1"], severity=[V3], withdrawn="2026-01-01T00:00:00Z")
    other = record("demo", *UNTIL_2, id="PYSEC-2026-3", withdrawn="2026-01-01T00:00:00Z")
    advisory = only(ask(tmp_path, "1.0", live, withdrawn, other))
    assert (advisory.id, advisory.score) == ("PYSEC-2026-1", None)


def test_malicious_packages_are_critical_whatever_they_are_rated(tmp_path: Path) -> None:
    advisory = only(ask(tmp_path, "1.0", record("demo", id="MAL-2026-1", versions=["1.0"], severity=[V3_LOW])))
    assert (advisory.malicious, advisory.severity, advisory.fixed_versions) == (True, Severity.CRITICAL, ())


def test_an_advisory_with_a_malicious_alias_is_malicious(tmp_path: Path) -> None:
    ghsa = record("demo", {"introduced": "0"}, id="GHSA-aaaa-bbbb-cccc", aliases=["MAL-2026-1"])
    assert only(ask(tmp_path, "1.0", ghsa)).malicious


def test_a_local_version_is_looked_up_without_its_suffix_and_it_says_so(tmp_path: Path) -> None:
    answer = ask(tmp_path, "1.0+cpu", record("demo", id="PYSEC-2026-1", versions=["1.0"]))
    assert only(answer).id == "PYSEC-2026-1"
    assert answer.pin.version == "1.0+cpu"
    assert answer.note == "demo 1.0+cpu was looked up as 1.0."


def test_half_a_character_in_an_id_makes_a_member_no_record(tmp_path: Path) -> None:
    bad = record("demo", *UNTIL_2, id="PYSEC-2026-2", aliases=["\ud800"])
    counted = build_store(export(tmp_path / "all.zip", record("demo", *UNTIL_2), bad), tmp_path / "store.sqlite")
    assert (counted.records, counted.unreadable) == (1, ("PYSEC-2026-2.json",))


def test_deep_or_broken_json_makes_a_member_no_record(tmp_path: Path) -> None:
    others = {"deep.json": b"[" * 200_000, "latin.json": b'{"id": "\xe9"}', "half.json": b'{"id": "X"', "notes.txt": b"hello"}
    counted = build_store(export(tmp_path / "all.zip", record("demo", *UNTIL_2), others=others), tmp_path / "store.sqlite")
    assert (counted.records, counted.unreadable) == (1, ("deep.json", "latin.json", "half.json"))


def test_an_export_without_any_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IncompleteError, match="There is no OSV record in it"):
        build_store(export(tmp_path / "all.zip", others={"x.json": b"[]"}), tmp_path / "store.sqlite")


def test_the_same_records_make_the_same_store_in_every_process(tmp_path: Path) -> None:
    """Whoever has opened a store compares its bytes, and another process may have made it anew meanwhile."""
    named = record("demo", *UNTIL_2, aliases=[f"CVE-2026-{number}" for number in range(20)])
    named["affected"] += [one for number in range(20) for one in record(f"demo-{number}", *UNTIL_2)["affected"]]
    source = export(tmp_path / "all.zip", named)
    script = "import pathlib, sys\nfrom shipsafe.advisories.store import build_store\nbuild_store(*map(pathlib.Path, sys.argv[1:]))"
    for seed in "123":
        arguments: list[str | Path] = [sys.executable, "-P", "-c", script, source, tmp_path / seed]
        subprocess.run(arguments, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    assert len({hashlib.sha256((tmp_path / seed).read_bytes()).hexdigest() for seed in "123"}) == 1
