"""The output folder: what a passing run leaves, what nothing may touch, and that it survives anything that can happen to it."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types, and tests alone use it
import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.model.baseline import BaselineFile
from shipsafe.model.vex import VexDocument
from shipsafe.packing import output as output_folder
from shipsafe.packing.manifest import Source, manifest
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import check_names, check_unchanged, look_ahead, publish, repair
from tests.packing.releases import CRASHED, NEW, OLD, items, record

_REPOSITORY = Path(__file__).parents[2]
_PATIENCE = 300  # seconds for what takes less than one


def _publish(out: Path, folder: Path, sources: Mapping[str, bytes]) -> None:
    with output_lock(out, on_wait=lambda: None):
        repair(Output(out))
        publish(Output(out), items(folder, sources), record(sources), Source())


def _manifest(out: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((out / "shipsafe.json").read_text(encoding="utf-8"))
    return document


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _assert_consistent(out: Path, sources: Mapping[str, bytes]) -> None:
    """The folder holds exactly that release: its names, its bytes, its objects, and nothing else."""
    document = _manifest(out)
    assert [artifact["name"] for artifact in document["artifacts"]] == list(sources)
    names = {"shipsafe.json", ".shipsafe"}
    objects = {".gitignore", "lock"}
    for artifact in document["artifacts"]:
        for path, digest, suffix in (
            (artifact["path"], artifact["digests"]["sha256"], ".zip"),
            (artifact["sbom"]["path"], artifact["sbom"]["sha256"], ".cdx.json"),
            (artifact["evidence"]["path"], artifact["evidence"]["sha256"], ".intoto.jsonl"),
        ):
            assert _sha256(out / path) == digest
            assert _sha256(out / ".shipsafe" / f"sha256-{digest}{suffix}") == digest
            names.add(path)
            objects.add(f"sha256-{digest}{suffix}")
    assert {path.name for path in out.iterdir()} == names
    assert {path.name for path in (out / ".shipsafe").iterdir()} == objects


def _snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "dist"


def test_a_release_is_its_manifest_and_what_it_names(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    _assert_consistent(out, OLD)


def test_the_manifest_says_what_later_steps_need(out: Path, tmp_path: Path) -> None:
    """Its schema is the one that is published; the digests are those of the files beside it."""
    published = items(tmp_path / "1", OLD)
    with output_lock(out, on_wait=lambda: None):
        finished = publish(Output(out), published, record(OLD), Source())
    document = _manifest(out)
    schema = json.loads((_REPOSITORY / "shipsafe/packing/data/release-manifest.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    first, archive = document["artifacts"][0], published[0].archive
    assert first["digests"] == {
        "sha256": archive.sha256,
        "sha512": hashlib.sha512((out / "Pay.zip").read_bytes()).hexdigest(),
        "code_sha256": archive.code_sha256,
        "content_digest": archive.content_digest,
    }
    assert first["gates"] == {"package": "answered", "lint": "not-asked"}
    assert first["layers"] == [{"text": "!Ref Common", "arn": None, "version": None, "local": "Common", "changeable": "", "unresolved": ""}]
    assert first["location"] == {"path": "template.yaml", "line": 7}
    assert document["policy"] == {"path": "shipsafe.toml", "digest": f"sha256:{'a' * 64}", "location": None}
    assert document["advisories"]["date"] == "2026-11-01"
    assert list(document["tools"]) == ["bandit", "shipsafe"]
    assert [artifact.path for artifact in finished.artifacts] == ["Pay.zip", "Stock.zip", "Gone.zip"]
    assert finished.artifacts[0].sbom_sha256 == _sha256(out / "Pay.cdx.json")
    assert finished.artifacts[0].evidence_sha256 == _sha256(out / "Pay.intoto.jsonl")
    assert first["evidence"] == {"path": "Pay.intoto.jsonl", "sha256": _sha256(out / "Pay.intoto.jsonl"), "signed": False}


def test_the_manifest_names_the_vex_and_the_baseline_that_it_was_judged_with() -> None:
    vex = VexDocument(path="vex.json", sha256="b" * 64, format="OpenVEX 0.2.0", statements=1)
    for baseline in (BaselineFile(path="known.toml", sha256="c" * 64, entries=2), BaselineFile(path="main", sha256="", entries=2), None):
        document = json.loads(manifest(replace(record(OLD), vex=(vex,), baseline=baseline), [], Source()))
        schema = json.loads((_REPOSITORY / "shipsafe/packing/data/release-manifest.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema).validate(document)
        assert document["vex"] == [{"path": "vex.json", "sha256": "b" * 64}]
        assert document["baseline"] == (baseline and {"path": baseline.path, "sha256": baseline.sha256 or None})


def test_the_schema_refuses_a_manifest_that_did_not_pass(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    schema = json.loads((_REPOSITORY / "shipsafe/packing/data/release-manifest.schema.json").read_text(encoding="utf-8"))
    document = _manifest(out)
    document["verdict"]["decision"] = "FAIL"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)


def test_the_same_run_twice_gives_the_same_bytes(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    before = _snapshot(out)
    _publish(out, tmp_path / "2", OLD)
    assert _snapshot(out) == before


def test_a_new_release_takes_the_place_of_the_old_one(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    _publish(out, tmp_path / "2", NEW)
    _assert_consistent(out, NEW)


def test_files_of_others_are_never_touched(out: Path, tmp_path: Path) -> None:
    out.mkdir()
    foreign = {"notes.txt": b"mine", "Other.zip": b"mine, too", ".hidden.12345678.tmp": b"x", "sha256-" + "0" * 64 + ".zip": b"y"}
    for name, content in foreign.items():
        (out / name).write_bytes(content)
    (out / "sub").mkdir()
    (out / "sub" / "Gone.zip").write_bytes(b"mine as well")
    for number, sources in enumerate((OLD, NEW)):
        _publish(out, tmp_path / str(number), sources)
    for name, content in foreign.items():
        assert (out / name).read_bytes() == content
    assert (out / "sub" / "Gone.zip").read_bytes() == b"mine as well"


def test_a_file_of_ours_that_somebody_changed_is_not_removed(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    (out / "Gone.zip").write_bytes(b"precious")
    _publish_without_repair = items(tmp_path / "2", NEW)
    with output_lock(out, on_wait=lambda: None):
        publish(Output(out), _publish_without_repair, record(NEW), Source())
    assert (out / "Gone.zip").read_bytes() == b"precious"
    assert not (out / "Gone.cdx.json").exists()
    assert not (out / "Gone.intoto.jsonl").exists()


def test_repair_brings_back_what_the_manifest_names(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    (out / "Pay.zip").unlink()
    (out / "Stock.zip").unlink()
    (out / "Stock.zip").write_bytes(b"half a zi")
    repair(Output(out))
    _assert_consistent(out, OLD)


def test_what_was_written_into_is_published_anew(out: Path, tmp_path: Path) -> None:
    """A NAME and its object are one file, so that a release takes its room once."""
    _publish(out, tmp_path / "1", OLD)
    assert (out / "Stock.zip").samefile(next((out / ".shipsafe").glob(f"sha256-{_sha256(out / 'Stock.zip')}.zip")))
    (out / "Stock.zip").write_bytes(b"half a zi")
    _publish(out, tmp_path / "2", OLD)
    _assert_consistent(out, OLD)


def test_a_file_that_is_told_of_is_what_was_told_last(tmp_path: Path) -> None:
    """A disk gives the number of a file that is gone to the next one, and its clock may not have moved: nothing tells the two apart."""
    output, path = Output(tmp_path), tmp_path / "bundle"
    for content in (b"one", b"two"):
        path.write_bytes(content)
        os.utime(path, ns=(0, 0))
        output.remember(path, hashlib.sha256(content).hexdigest())
        assert output.digest_of(path) == hashlib.sha256(content).hexdigest()


def test_a_run_that_ends_while_the_last_release_is_read_says_nothing_of_it(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(out, tmp_path / "1", OLD)
    with ThreadPoolExecutor(1) as ended:
        pass
    with pytest.raises(RuntimeError):  # as at the end of a process
        ended.submit(print)
    monkeypatch.setattr("shipsafe.packing.publish.ThreadPoolExecutor", lambda *_, **__: ended)
    look_ahead(Output(out))


def test_repair_does_not_believe_an_object_that_is_not_its_digest(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    digest = _manifest(out)["artifacts"][0]["digests"]["sha256"]
    (out / ".shipsafe" / f"sha256-{digest}.zip").write_bytes(b"something else")
    (out / "Pay.zip").unlink()
    repair(Output(out))
    assert not (out / "Pay.zip").exists(), "nothing is better than the wrong thing"
    _publish(out, tmp_path / "2", OLD)
    _assert_consistent(out, OLD)


def test_a_run_that_publishes_nothing_leaves_no_trace(out: Path) -> None:
    with output_lock(out, on_wait=lambda: None):
        repair(Output(out))
    assert not out.exists()


def test_a_run_that_publishes_nothing_leaves_a_folder_as_it_was(out: Path, tmp_path: Path) -> None:
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with output_lock(out, on_wait=lambda: None):
        repair(Output(out))
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    _publish(out, tmp_path / "1", OLD)
    before = _snapshot(out)
    with output_lock(out, on_wait=lambda: None):
        repair(Output(out))
    assert _snapshot(out) == before


# What a planted link or a hostile manifest can do: nothing outside the folder.


def test_a_link_in_place_of_our_folder_is_refused(out: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    out.mkdir()
    (out / ".shipsafe").symlink_to(elsewhere)
    with pytest.raises(IncompleteError, match=r"\.shipsafe is a link, and is not followed\. Remove it\."):
        _publish(out, tmp_path / "1", OLD)
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_place_of_what_is_being_packed_is_not_followed(out: Path, tmp_path: Path) -> None:
    """What is packed there becomes the release by a link to the same file: whoever kept a name of it could write to the release."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / ".shipsafe").mkdir(parents=True)
    (out / ".shipsafe" / "work").symlink_to(elsewhere)
    with pytest.raises(IncompleteError, match=r"\.shipsafe/work is a link, and is not followed\. Remove it\."):
        _publish(out, tmp_path / "1", OLD)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["Pay.zip", "Pay.cdx.json", "Pay.intoto.jsonl", "shipsafe.json", ".shipsafe/.gitignore"])
def test_a_link_in_place_of_a_file_is_not_followed(out: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"keep me")
    (out / ".shipsafe").mkdir(parents=True)
    (out / name).symlink_to(victim)
    _publish(out, tmp_path / "1", OLD)
    assert victim.read_bytes() == b"keep me"
    if not name.startswith("."):
        assert not (out / name).is_symlink()
        _assert_consistent(out, OLD)


def test_a_link_in_place_of_an_object_is_not_believed(out: Path, tmp_path: Path) -> None:
    published = items(tmp_path / "1", OLD)
    (out / ".shipsafe").mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_bytes(published[0].archive.path.read_bytes())
    (out / ".shipsafe" / f"sha256-{published[0].archive.sha256}.zip").symlink_to(victim)
    with output_lock(out, on_wait=lambda: None):
        publish(Output(out), published, record(OLD), Source())
    assert not (out / ".shipsafe" / f"sha256-{published[0].archive.sha256}.zip").is_symlink()
    _assert_consistent(out, OLD)


def test_a_link_in_place_of_the_lock_is_not_followed(out: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (out / ".shipsafe").mkdir(parents=True)
    (out / ".shipsafe" / "lock").symlink_to(victim)
    with pytest.raises(IncompleteError, match="Cannot be written"):
        _publish(out, tmp_path / "1", OLD)
    assert not victim.exists()


@pytest.mark.parametrize("path", ["../victim.zip", "/victim.zip", "sub/victim.zip", ".shipsafe", "notes.txt", 7, None])
def test_a_hostile_manifest_removes_nothing(out: Path, tmp_path: Path, path: object) -> None:
    """The manifest that held until now names files to remove; only plain names that could be ours count."""
    victims = [tmp_path / "victim.zip", out / "sub" / "victim.zip", out / "notes.txt"]
    (out / "sub").mkdir(parents=True)
    for victim in victims:
        victim.write_bytes(b"keep me")
    digest = hashlib.sha256(b"keep me").hexdigest()
    hostile = {
        "schema_version": "1.0",
        "artifacts": [
            {
                "path": path,
                "digests": {"sha256": digest},
                "sbom": {"path": path, "sha256": digest},
                "evidence": {"path": path, "sha256": digest},
            }
        ],
    }
    (out / "shipsafe.json").write_text(json.dumps(hostile))
    _publish(out, tmp_path / "1", OLD)
    assert all(victim.read_bytes() == b"keep me" for victim in victims)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"schema_version": "1.0"}', b"\xff\xfe", b"[" * 100_000])
def test_another_file_called_shipsafe_json_is_not_overwritten(out: Path, tmp_path: Path, content: bytes) -> None:
    out.mkdir()
    (out / "shipsafe.json").write_bytes(content)
    with pytest.raises(IncompleteError, match="Not a release manifest of shipsafe"):
        _publish(out, tmp_path / "1", OLD)
    assert (out / "shipsafe.json").read_bytes() == content


def test_a_folder_where_a_file_should_be_is_said_and_repaired_later(out: Path, tmp_path: Path) -> None:
    (out / "Pay.zip").mkdir(parents=True)
    with pytest.raises(IncompleteError, match="There is a folder where a file should be"):
        _publish(out, tmp_path / "1", OLD)
    (out / "Pay.zip").rmdir()
    repair(Output(out))
    _assert_consistent(out, OLD)


# Names.


@pytest.mark.parametrize("names", [["Pay", "pay"], ["Nested.A", "nested.a"], ["Pay", "Pay"]])
def test_names_that_clash_are_refused(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="would be one file on a disk that ignores case"):
        check_names(names)


@pytest.mark.parametrize("name", ["shipsafe", "ShipSafe", "../up", "a/b", "", ".hidden", "x" * 300, "a\nb", "-rf", "straße"])
def test_names_that_cannot_be_files_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a file"):
        check_names([name])


def test_ordinary_names_are_taken() -> None:
    check_names(["Pay", "Nested.Function", "orders-api", "A_b", "pay2"])


# What the disk and the machine can do.


def test_an_archive_that_changed_after_it_was_packed_is_not_published(out: Path, tmp_path: Path) -> None:
    _publish(out, tmp_path / "1", OLD)
    before = _snapshot(out)
    changed = items(tmp_path / "2", NEW)
    changed[0].archive.path.write_bytes(b"something else")
    with pytest.raises(IntegrityError, match="is not what was packed"), output_lock(out, on_wait=lambda: None):
        publish(Output(out), changed, record(NEW), Source())
    assert _snapshot(out) == before


def test_a_full_disk_leaves_the_old_release_as_it_was(out: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the archive still packs, its copy does not fit.

    -B: Python would cut what it compiles at the limit, and whoever imports it next could not.
    """
    _publish(out, tmp_path / "1", OLD)
    before = _snapshot(out)
    script = """
import resource, signal, sys
from pathlib import Path
from shipsafe.errors import IncompleteError
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.manifest import Source
from shipsafe.packing.publish import publish
from tests.packing.releases import NEW, items, record
folder, out = Path(sys.argv[1]), Path(sys.argv[2])
published = items(folder, NEW)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    with output_lock(out, on_wait=lambda: None):
        publish(Output(out), published, record(NEW), Source())
except IncompleteError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, str(tmp_path / "2"), str(out)], capture_output=True, text=True, check=True, cwd=_REPOSITORY
    )
    assert done.stdout == f"{out}: Cannot be written: File too large. Check the disk and run the same command again.\n"
    assert _snapshot(out) == before


def _mounted(place: Path, *options: str) -> bool:
    place.mkdir(exist_ok=True)
    return subprocess.run(["mount", *options, str(place)], capture_output=True, check=False).returncode == 0


def test_a_disk_that_is_really_full_leaves_the_old_release(tmp_path: Path) -> None:
    """A file system of 128 KiB, where the machine lets us mount one; where it does not, the limit above says as much."""
    disk = tmp_path / "disk"
    if not _mounted(disk, "-t", "tmpfs", "-o", "size=128k", "none"):
        return
    try:
        out = disk / "dist"
        _publish(out, tmp_path / "1", OLD)
        with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
        before = _snapshot(out)
        with pytest.raises(IncompleteError, match=r"No space left on device\. Free some space"):
            _publish(out, tmp_path / "2", NEW)
        assert _snapshot(out) == before
        (disk / "filler").unlink()
        _publish(out, tmp_path / "3", NEW)
        _assert_consistent(out, NEW)
        assert _mounted(disk, "-o", "remount,ro")
        with pytest.raises(IncompleteError, match=r"Read-only file system\. Choose a folder that can be written to with --out\."):
            _publish(out, tmp_path / "4", OLD)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_file_where_the_folder_should_be_is_said(out: Path, tmp_path: Path) -> None:
    out.write_text("a file")
    with pytest.raises(IncompleteError, match="Cannot be written"):
        _publish(out, tmp_path / "1", OLD)
    assert out.read_text() == "a file"


def _crash(folder: Path, out: Path, release: str, step: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.packing.releases", str(folder), str(out), release, str(step)],
        capture_output=True,
        text=True,
        check=False,
        cwd=_REPOSITORY,
    )


def test_a_crash_at_any_step_leaves_the_old_release_or_the_new_one(tmp_path: Path) -> None:
    """At each step of a second release the process ends without a word. What a reader sees then is one release, whole as far as
    it is there, and the next command makes it complete; the next build publishes as if nothing had been."""
    done = _crash(tmp_path / "count", tmp_path / "counted", "old", 10_000)
    assert done.returncode == 0, done.stderr
    start = tmp_path / "start"
    _publish(start, tmp_path / "started", OLD)
    total = int(_crash(tmp_path / "count2", _copy(start, tmp_path / "total"), "new", 10_000).stdout)
    assert total > 30
    seen = set()
    for step in range(total):
        out = _copy(start, tmp_path / f"out{step}")
        crashed = _crash(tmp_path / f"work{step}", out, "new", step)
        assert crashed.returncode == CRASHED, crashed.stderr
        holds = NEW if "Added" in [artifact["name"] for artifact in _manifest(out)["artifacts"]] else OLD
        seen.add("new" if holds is NEW else "old")
        for path in (*out.glob("*.zip"), *out.glob("*.jsonl")):
            assert _sha256(path) in _digests(start, tmp_path), f"step {step}: {path.name} is not whole"
        with output_lock(out, on_wait=lambda: None):
            check_unchanged(Output(out))  # whatever a crash leaves was changed by nobody else
            repair(Output(out))
        _assert_consistent(out, holds)
    assert seen == {"old", "new"}


def _copy(source: Path, target: Path) -> Path:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def _digests(start: Path, tmp_path: Path) -> set[str]:
    return {_sha256(path) for folder in (start, tmp_path / "total") for path in folder.glob("[!.]*")}


def test_a_crash_at_any_step_of_stating_more_leaves_the_old_evidence_or_the_new(tmp_path: Path) -> None:
    """As of a build: what `sign` adds to the manifest and to bundles holds as a whole, or not at all."""
    start = tmp_path / "start"
    _publish(start, tmp_path / "started", OLD)
    old = _manifest(start)
    total = int(_crash(tmp_path / "none", _copy(start, tmp_path / "total"), "stated", 10_000).stdout)
    new = _manifest(tmp_path / "total")
    assert [one["evidence"]["signed"] for one in new["artifacts"]] == [True, False, True]
    seen = set()
    for step in range(total):
        out = _copy(start, tmp_path / f"out{step}")
        assert _crash(tmp_path / "none", out, "stated", step).returncode == CRASHED
        assert _manifest(out) in (old, new), f"step {step}"
        seen.add(_manifest(out) == new)
        with output_lock(out, on_wait=lambda: None):
            check_unchanged(Output(out))
            repair(Output(out))
        _assert_consistent(out, OLD)
        assert (
            _snapshot(out / ".shipsafe").keys() == _snapshot((tmp_path / "total" if _manifest(out) == new else start) / ".shipsafe").keys()
        )
    assert seen == {False, True}


def test_a_crash_in_a_repair_is_repaired(tmp_path: Path) -> None:
    start = tmp_path / "start"
    _publish(start, tmp_path / "1", OLD)
    for step in range(12):
        out = _copy(start, tmp_path / f"out{step}")
        for name in ("Pay.zip", "Stock.cdx.json", "Gone.intoto.jsonl"):
            (out / name).unlink()
        _crash(tmp_path / f"work{step}", out, "old", step)
        repair(Output(out))
        _assert_consistent(out, OLD)


def test_a_second_build_waits_says_so_and_finds_what_the_first_left(out: Path, tmp_path: Path) -> None:
    waited = threading.Event()
    order: list[str] = []

    def second() -> None:
        with output_lock(out, on_wait=waited.set):
            order.append("second")
            repair(Output(out))
            publish(Output(out), items(tmp_path / "2", NEW), record(NEW), Source())

    with output_lock(out, on_wait=lambda: pytest.fail("nobody else builds")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waited.wait(_PATIENCE)
        publish(Output(out), items(tmp_path / "1", OLD), record(OLD), Source())
        order.append("first")
    thread.join(_PATIENCE)
    assert order == ["first", "second"]
    _assert_consistent(out, NEW)


def test_who_takes_an_empty_folder_away_takes_nothing_from_the_build_that_comes(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = output_folder._own_folder

    def raced(folder: Path) -> bool:
        monkeypatch.setattr(output_folder, "_own_folder", made)
        new = made(folder)
        (folder / ".shipsafe" / ".gitignore").unlink()  # by a build that fails beside this one, and has not yet tried to remove the folder
        return new

    monkeypatch.setattr(output_folder, "_own_folder", raced)
    with output_lock(out, on_wait=lambda: pytest.fail("nobody holds it")):
        assert (out / ".shipsafe" / ".gitignore").read_text() == "*\n"


def test_builds_that_wait_while_a_failing_one_takes_its_folder_away_still_take_turns(out: Path) -> None:
    """Four processes, none of which publishes: each removes the lock file that the others wait for."""
    script = """
import os, sys, time
from pathlib import Path
from shipsafe.packing.publish import output_lock
out, inside = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(10):
    with output_lock(out, on_wait=lambda: None):
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        time.sleep(0.002)
        inside.unlink()
"""
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(out), str(out.parent / "inside")], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for child in children:
        _, error = child.communicate(timeout=_PATIENCE)
        assert child.returncode == 0, error
    assert not out.exists() or list(out.iterdir()) == []


def test_a_build_that_was_killed_does_not_hold_the_folder(out: Path) -> None:
    script = "import sys, time; from pathlib import Path; from shipsafe.packing.publish import output_lock\n"
    script += "with output_lock(Path(sys.argv[1]), on_wait=lambda: None):\n    print('in', flush=True)\n    time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script, str(out)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in\n"
        child.kill()
    with output_lock(out, on_wait=lambda: pytest.fail("it is dead")):
        assert (out / ".shipsafe").exists()
    assert not (out / ".shipsafe").exists()
