"""The findings of ours against those of two others: OSV's real API, and the real pip-audit command line."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from packaging.version import InvalidVersion, Version
from pip_audit._service import OsvService, ResolvedDependency

from shipsafe.adapters.cache import open_cache
from shipsafe.adapters.process import run
from shipsafe.advisories.sources import open_advisories
from shipsafe.model.advisory import Advisories, Answer, Pin
from shipsafe.model.policy import AdvisoryPolicy, AdvisorySource
from tests.advisories.osv_matcher import Matcher
from tests.advisories.osv_server import osv_server
from tests.shared_data import shared_data

# What OSV's API answers and the snapshot does not. The snapshot holds PyPA's records alone, and each of these says that Django is
# affected from 3.2 or 4.2 on; GitHub's record of the same advisory, which OSV has besides, says `introduced: 0`.
ONLY_IN_GITHUBS_RECORDS = {
    "GHSA-6w2r-r2m5-xq5w": "PYSEC-2025-105",
    "GHSA-7xr5-9hcq-chf9": "PYSEC-2025-47",
    "GHSA-8x94-hmjh-97hq": "PYSEC-2022-245",
    "GHSA-frmv-pr5f-9mcr": "PYSEC-2025-108",
    "GHSA-qw25-v68c-qjf3": "PYSEC-2025-107",
}
DIFFERENCES = {("django", "1.11.29"): ONLY_IN_GITHUBS_RECORDS, ("django", "2.2.24"): ONLY_IN_GITHUBS_RECORDS}

PATIENCE = 600  # seconds for one answer of a server that shares its processor with whoever asks

# Records with a `fixed` that is no PEP 440 version: pip-audit 2.10 ends with InvalidVersion when OSV answers one of them.
CRASHING = ("PYSEC-2021-371", "PYSEC-2026-1194", "PYSEC-2026-686")

# Besides every tenth package: records with dirt, names with dots, and those that have most advisories.
ALWAYS = ("apache-airflow", "binderhub", "django", "evm-py", "gdal", "jw-util", "neutron", "pillow", "pynetbox", "tensorflow", "torch")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """The independent one, over the snapshot."""
    return Matcher.of_zip(shared_data("advisories/PyPI-all.zip"))


@pytest.fixture(scope="module")
def advisories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Advisories]:
    """Ours, over the same snapshot."""
    settings = AdvisoryPolicy(source=AdvisorySource.FOLDER, path=str(shared_data("advisories/PyPI-all.zip")), max_age=None)
    cache = tmp_path_factory.mktemp("ours")
    with closing(open_cache(cache)) as answers:
        yield open_advisories(
            settings, cache=cache, answers=answers, offline=True, today=date(2026, 11, 21), now=lambda: datetime.now(UTC), say=print
        )


def test_the_independent_matcher_answers_as_osvs_api_does_but_for_the_named_differences(matcher: Matcher) -> None:
    with shared_data("advisories/osv_api_oracle.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 31
    for row in rows:
        known = DIFFERENCES.get((row["name"], row["version"]), {})
        expected = matcher.families([*row["pysec_ids"].split(), *row["other_ids"].split()])
        assert matcher.families(known) <= expected
        found = {record["id"] for record in matcher.matching(row["name"], row["version"]) if not record.get("withdrawn")}
        assert matcher.families(found) == expected - matcher.families(known), (row["name"], row["version"])


def test_the_named_differences_are_what_the_table_says(matcher: Matcher) -> None:
    for github, pypa in ONLY_IN_GITHUBS_RECORDS.items():
        record = matcher.records[pypa]
        assert github in record["aliases"]
        starts = [
            event["introduced"] for one in record["affected"] for kind in one["ranges"] for event in kind["events"] if "introduced" in event
        ]
        assert min(Version(start) for start in starts) >= Version("3.2")


def test_our_findings_are_those_of_the_pip_audit_command_line(matcher: Matcher, advisories: Advisories, tmp_path: Path) -> None:
    rounds = list(_rounds(matcher))
    assert sum(len(pins) for pins in rounds) >= 200
    compared = 0
    with osv_server(lambda name, version: [one for one in matcher.matching(name, version) if one["id"] not in CRASHING]) as url:
        for number, pins in enumerate(rounds):
            theirs = _pip_audit(url, pins, tmp_path / str(number), matcher)
            ours = {answer.pin: _families(answer, matcher) - matcher.families(CRASHING) for answer in advisories.ask(pins)}
            theirs = {pin: found - matcher.families(CRASHING) for pin, found in theirs.items()}
            assert ours == theirs
            compared += sum(bool(found) for found in theirs.values())
    assert compared >= 100  # as many have findings: it is not nothing that is equal


def test_our_findings_are_those_of_the_independent_matcher_at_every_boundary(matcher: Matcher, advisories: Advisories) -> None:
    names = [name for name in (*matcher.names[::15], *ALWAYS) if len(matcher.of_package(name)) <= 60]  # the largest take minutes
    pins = [Pin(name=name, version=version) for name in names for version in _versions(matcher, name)]
    assert len(pins) > 600
    for answer in advisories.ask(pins):
        live = [one["id"] for one in matcher.matching(answer.pin.name, answer.pin.version) if not one.get("withdrawn")]
        assert _families(answer, matcher) == matcher.families(live), answer.pin


def test_the_records_on_which_pip_audit_crashes_are_the_named_ones(matcher: Matcher, tmp_path: Path) -> None:
    def everything(name: str, version: str) -> list[Any]:
        wanted = [one for one in matcher.of_package(name) if one["id"] not in CRASHING]
        return wanted if version == "0" else [matcher.records[CRASHING[int(version) - 1]]]

    with osv_server(everything) as url:
        service = OsvService(tmp_path, PATIENCE, url)
        with service.session:
            for name in matcher.names:
                service.query(ResolvedDependency(name, Version("0")))
            for number, crashing in enumerate(CRASHING, start=1):
                name = matcher.records[crashing]["affected"][0]["package"]["name"]
                with pytest.raises((InvalidVersion, KeyError)):
                    service.query(ResolvedDependency(name, Version(str(number))))


def _rounds(matcher: Matcher) -> Iterator[list[Pin]]:
    """Three sets of pins, one version a package: where its first fix is, right before it, and the last affected or one above all."""
    names = sorted({*matcher.names[::10], *ALWAYS})
    chosen = {name: _around_the_first_fix(matcher, name) for name in names}
    for which in range(3):
        yield [Pin(name=name, version=versions[which]) for name, versions in chosen.items() if len(versions) > which]


def _around_the_first_fix(matcher: Matcher, name: str) -> list[str]:
    versions, fixed = _versions(matcher, name), _bounds(matcher, name, "fixed")
    at = next((version for version in versions if version in fixed), versions[0])
    before = next((one for one, other in pairwise(versions) if other == at), at)
    last = max(_bounds(matcher, name, "last_affected"), key=Version, default=versions[-1])
    return list(dict.fromkeys([before, at, last]))


def _bounds(matcher: Matcher, name: str, kind: str) -> set[str]:
    texts = {event[kind] for event in _events(matcher, name) if kind in event}
    return {str(Version(text)) for text in texts if _is_version(text)}


def _versions(matcher: Matcher, name: str) -> list[str]:
    """Every bound of a range, the listed versions beside them, and one that is above all: ascending, each once."""
    bounds = {text for event in _events(matcher, name) for text in event.values() if _is_version(text)}
    listed = {text for record in matcher.of_package(name) for one in record["affected"] for text in one.get("versions", [])}
    known = sorted({Version(text) for text in {*bounds, *filter(_is_version, listed)}})
    wanted = {Version(text) for text in bounds}
    near = [one for one, other in pairwise(known) if other in wanted] + [other for one, other in pairwise(known) if one in wanted]
    above = Version(f"{known[-1].major + 1}") if known else Version("1")
    return [str(version) for version in sorted({*wanted, *near, *known[:1], *known[-1:], above})]


def _events(matcher: Matcher, name: str) -> Iterator[dict[str, str]]:
    for record in matcher.of_package(name):
        for affected in record["affected"]:
            for one in affected.get("ranges", []):
                if one["type"] == "ECOSYSTEM":
                    yield from one["events"]


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _families(answer: Answer, matcher: Matcher) -> set[str]:
    assert not answer.unaudited
    return matcher.families(one.id for one in answer.advisories)


def _pip_audit(url: str, pins: Iterable[Pin], folder: Path, matcher: Matcher) -> dict[Pin, set[str]]:
    """What the command line finds in a folder with the metadata of these distributions."""
    folder.mkdir()
    for pin in pins:
        info = folder / f"{pin.name.replace('-', '_')}-{pin.version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {pin.name}\nVersion: {pin.version}\n")
    options = ["-s", "osv", "--osv-url", url, "--path", str(folder), "-f", "json", "--progress-spinner", "off", "--timeout", str(PATIENCE)]
    done = run([sys.executable, "-m", "pip_audit", *options, "--cache-dir", str(folder / "cache")], cwd=folder)
    assert done.returncode == 1, done.stderr
    answers = {Pin(name=one["name"], version=one["version"]): one["vulns"] for one in json.loads(done.stdout)["dependencies"]}
    assert answers.keys() == set(pins)
    return {pin: matcher.families(one["id"] for one in found) for pin, found in answers.items()}
