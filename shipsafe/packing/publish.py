"""A passing run -> the output folder, so that a reader sees the old release or the new one, whatever happens in between.

    dist/.shipsafe/sha256-HEX.zip    content-addressed, written and synced first
    dist/shipsafe.json               renamed last: the commit point
    dist/NAME.zip, NAME.cdx.json     follow it; whatever a crash left undone, the next command finishes

Files that shipsafe did not write are never touched, and a link that somebody planted is never followed.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from shipsafe.adapters.files import MEBIBYTE, disk_errors, sha256_file, sync_folder, write_atomic
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.artifact import Archive, Artifact
from shipsafe.model.location import Location
from shipsafe.model.project import LayerRef
from shipsafe.model.record import RunRecord
from shipsafe.packing.manifest import manifest

MANIFEST = "shipsafe.json"
_STORE = ".shipsafe"
_OBJECT = re.compile(r"sha256-[0-9a-f]{64}\.(zip|cdx\.json)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_DRAFT = re.compile(r"\..*\.[0-9a-f]{8}\.tmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one function or layer puts into the output folder."""

    name: str
    archive: Archive
    sbom: bytes | None
    location: Location
    layers: Sequence[LayerRef] = ()


def check_names(names: Iterable[str]) -> None:
    """Refuse names that cannot be file names side by side.

    Raises:
        ConfigError: two names differ only in case, or one is not a plain name or is our own.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not _NAME.fullmatch(name) or name.casefold() == "shipsafe":
            raise ConfigError(f"{name[:80]!r} cannot be the name of a file in the output folder.", remedy="Rename it.")
        other = seen.setdefault(name.casefold(), name)
        if other != name or list(names).count(name) > 1:
            raise ConfigError(f"{other} and {name} would be one file on a disk that ignores case.", remedy="Rename one of them.")


@contextmanager
def output_lock(out: Path, *, on_wait: Callable[[], None]) -> Generator[None]:
    """Hold the output folder for one build; a second one waits and says so.

    Raises:
        IncompleteError: the folder cannot be written.
    """
    with disk_errors(out):
        _own_folder(out)
        lock = FileLock(out / _STORE / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def publish(out: Path, items: Sequence[Published], record: RunRecord, *, step: Callable[[str], None] = lambda _: None) -> RunRecord:
    """Put a passing run into the output folder, and give its record with the artifacts.

    `step` is told of every step before it is taken, so that a test can end the process there.

    Raises:
        IncompleteError: the disk is full or the folder cannot be written; the old release is untouched.
    """
    with disk_errors(out):
        _own_folder(out)
        artifacts = []
        for item in items:
            step(f"store {item.name}")
            artifacts.append(_store(out, item))
        described = [(artifact, item.archive, item.layers, str(item.location)) for artifact, item in zip(artifacts, items, strict=True)]
        data = manifest(record, described)
        before = _names_of(_read(out))
        step("commit")
        write_atomic(out / MANIFEST, data)
        step("follow")
        _follow(out, json.loads(data), before, step)
    return replace(record, artifacts=tuple(artifacts))


def repair(out: Path) -> None:
    """Finish what a crash left: NAME files follow the manifest, and what nothing names any more is removed.

    Raises:
        IncompleteError: the folder cannot be written.
    """
    if not (out / _STORE).is_dir() or (out / _STORE).is_symlink():
        return
    with disk_errors(out):
        _follow(out, _read(out), {}, lambda _: None)


def _own_folder(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    store = out / _STORE
    if store.is_symlink():
        raise IncompleteError(f"{_STORE} is a link, and is not followed.", remedy="Remove it.", path=str(store))
    store.mkdir(exist_ok=True)
    ignore = store / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


def _store(out: Path, item: Published) -> Artifact:
    """Write an archive and its SBOM under their digests."""
    archive = item.archive
    _copy(archive.path, out / _STORE / f"sha256-{archive.sha256}.zip")
    sbom_sha256 = ""
    if item.sbom is not None:
        sbom_sha256 = hashlib.sha256(item.sbom).hexdigest()
        write_atomic(out / _STORE / f"sha256-{sbom_sha256}.cdx.json", item.sbom)
    return Artifact(
        name=item.name,
        subject=archive.subject,
        path=f"{item.name}.zip",
        sha256=archive.sha256,
        code_sha256=archive.code_sha256,
        content_digest=archive.content_digest,
        size=archive.size,
        sbom=f"{item.name}.cdx.json" if sbom_sha256 else "",
        sbom_sha256=sbom_sha256,
    )


def _copy(source: Path, target: Path) -> None:
    """Copy so that `target` is whole or not there."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with source.open("rb") as reading, draft.open("xb") as writing:
            shutil.copyfileobj(reading, writing, MEBIBYTE)
            writing.flush()
            os.fsync(writing.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def _read(out: Path) -> Mapping[str, Any]:
    """The manifest that holds, or an empty one when there is none that we can read."""
    path = out / MANIFEST
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _names_of(document: Mapping[str, Any]) -> dict[str, str]:
    """File name -> SHA-256 of every file that a manifest names; nothing that is not a plain name is believed."""
    found: dict[str, str] = {}
    for artifact in document.get("artifacts", ()):
        try:
            found[artifact["path"]] = artifact["digests"]["sha256"]
            if artifact["sbom"]:
                found[artifact["sbom"]["path"]] = artifact["sbom"]["sha256"]
        except (KeyError, TypeError):
            continue
    return {name: digest for name, digest in found.items() if _NAME.fullmatch(name) and _OBJECT.fullmatch(f"sha256-{digest}.zip")}


def _follow(out: Path, document: Mapping[str, Any], before: Mapping[str, str], step: Callable[[str], None]) -> None:
    """Make the NAME files what the manifest says, and remove what it does not name."""
    names = _names_of(document)
    for name, digest in names.items():
        kept = out / _STORE / f"sha256-{digest}{'.cdx.json' if name.endswith('.cdx.json') else '.zip'}"
        here = out / name
        if not kept.is_file() or (here.is_file() and not here.is_symlink() and sha256_file(here) == digest):
            continue
        step(f"name {name}")
        _copy(kept, here)
    for name, digest in before.items():
        here = out / name
        if name not in names and here.is_file() and not here.is_symlink() and sha256_file(here) == digest:
            here.unlink()
    wanted = set(names.values())
    for file in (out / _STORE).iterdir():
        stale = _OBJECT.fullmatch(file.name) and file.name.removeprefix("sha256-")[:64] not in wanted
        if stale or _DRAFT.fullmatch(file.name):
            file.unlink(missing_ok=True)
    for file in out.iterdir():
        if _DRAFT.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)
