"""pip-audit in the chains gets the advisories that shipsafe is given."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from urllib.request import Request, urlopen

from bench.advisory_server import Advisories, pack_export, serve
from tests.advisories.osv_matcher import Matcher
from tests.shared_data import shared_data


def _record(name: str, **more: object) -> dict[str, object]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]
    return {"id": name, "affected": [{"package": {"ecosystem": "PyPI", "name": "Some.Thing"}, "ranges": ranges}], **more}


def _write(folder: Path) -> Path:
    folder.mkdir()
    for record in (_record("PYSEC-1"), _record("PYSEC-2", withdrawn="2026-01-01T00:00:00Z")):
        (folder / f"{record['id']}.json").write_text(json.dumps(record))
    return folder


def _ask(url: str, name: str, version: str) -> dict[str, list[dict[str, object]]]:
    body = json.dumps({"package": {"name": name, "ecosystem": "PyPI"}, "version": version}).encode()
    with urlopen(Request(f"{url}/v1/query", data=body)) as answer:  # noqa: S310 - our own server, on the loopback interface
        found: dict[str, list[dict[str, object]]] = json.load(answer)
        return found


def test_a_question_is_answered_with_the_records_that_speak_of_the_version(tmp_path: Path) -> None:
    with serve(_write(tmp_path / "records")) as url:
        assert [one["id"] for one in _ask(url, "some-thing", "1.9")["vulns"]] == ["PYSEC-1"]
        assert _ask(url, "some-thing", "2.0") == {}
        assert _ask(url, "another", "1.9") == {}


def test_the_export_holds_every_record(tmp_path: Path) -> None:
    export = pack_export(_write(tmp_path / "records"), tmp_path / "all.zip")
    with serve(export) as url, urlopen(f"{url}/all.zip") as answer:  # noqa: S310 - likewise
        assert sorted(zipfile.ZipFile(BytesIO(answer.read())).namelist()) == ["PYSEC-1.json", "PYSEC-2.json"]
    assert Advisories.read(export).count == 2


def test_a_zip_is_served_as_it_is(tmp_path: Path) -> None:
    export = pack_export(_write(tmp_path / "records"), tmp_path / "all.zip")
    assert pack_export(export, tmp_path / "other.zip") == export


def test_answers_are_those_of_an_independent_matcher() -> None:
    """Over real records: what is served is neither more nor less than what speaks of the version."""
    source = shared_data("advisories/PyPI-all.zip")
    ours, theirs = Advisories.read(source), Matcher.of_zip(source)
    asked = [
        ("jinja2", "3.1.4"),
        ("requests", "2.31.0"),
        ("urllib3", "1.26.5"),
        ("pillow", "9.0.0"),
        ("PyYAML", "5.3"),
        ("cryptography", "41.0.0"),
    ]
    for name, version in asked:
        expected = {one["id"] for one in theirs.matching(name, version) if not one.get("withdrawn")}
        assert expected
        assert {one["id"] for one in ours.of(name, version)} == expected
