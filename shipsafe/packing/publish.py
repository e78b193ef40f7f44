"""A passing run -> the output folder, so that a reader sees the old release or the new one, whatever happens in between.

    1. dist/.shipsafe/sha256-HEX.zip, .cdx.json, .intoto.jsonl   put there and synced first
    2. dist/.shipsafe/previous.json                              the manifest that held until now
    3. dist/shipsafe.json                                        renamed: the commit point
    4. dist/NAME.zip, NAME.cdx.json, NAME.intoto.jsonl           follow it; what it no longer names is removed

Before 3 the old release holds, after it the new one; `repair`, with which every build begins, finishes 4 or takes back 1. Files that
shipsafe did not write are never touched, and a file of ours that somebody has changed is not removed.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, disk_errors, read_bounded
from shipsafe.adapters.json_file import holds_more
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.model.artifact import Archive, Artifact, Bundle
from shipsafe.model.location import Location
from shipsafe.model.record import RunRecord
from shipsafe.packing.manifest import Entry, Source, Told, manifest
from shipsafe.packing.output import Output, output_lock

__all__ = ["MANIFEST", "Published", "check_names", "check_unchanged", "entry_of", "laid", "output_lock", "publish", "repair", "revise"]

MANIFEST = "shipsafe.json"
_READERS = 3  # files whose digests are taken at once
_PREVIOUS = "previous.json"
_LARGEST = 64 * MEBIBYTE
_MOST = 1_000_000  # values
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
EVIDENCE = ".intoto.jsonl"
_SUFFIXES = (".cdx.json", EVIDENCE, ".zip")
_HEX = re.compile(r"[0-9a-f]{64}")
_FOREIGN = "Move it away, or choose another folder with --out."
_CHANGED = "Somebody changed it or the release manifest: find out who, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one function or layer puts into the output folder: names of files on the disk, and the SHA-256 that each must have.

    `sbom` is None where none was made (other languages). `prebuilt`: another tool staged what is in the archive. `evidence` is None where
    nobody states anything about it.
    """

    name: str
    archive: Archive
    sbom: Path | None
    sbom_sha256: str
    location: Location
    told: Told = field(default_factory=Told)
    prebuilt: bool = False
    evidence: Bundle | None = None


def check_names(names: Sequence[str]) -> None:
    """Refuse names that cannot be file names side by side.

    Raises:
        ConfigError: two names differ only in case, or one is not a plain name or is our own.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not _NAME.fullmatch(name) or name.casefold() == "shipsafe":
            raise ConfigError(f"{name[:80]!r} cannot be the name of a file in the output folder.", remedy="Rename it.")
        if name.casefold() in seen:
            other = seen[name.casefold()]
            raise ConfigError(f"{other} and {name} would be one file on a disk that ignores case.", remedy="Rename one of them.")
        seen[name.casefold()] = name


def publish(output: Output, items: Sequence[Published], record: RunRecord, source: Source) -> RunRecord:
    """Put a passing run into the output folder, and give its record with the artifacts. Called under `output_lock`.

    Raises:
        ConfigError: the names clash.
        IncompleteError: the disk is full or the folder cannot be written. Before the commit point the old release holds and
            nothing of this run is left; after it the new one holds, and the next command finishes it.
        IntegrityError: an archive is no longer what was packed; the old release holds.
    """
    check_names([item.name for item in items])
    entries = [entry_of(item) for item in items]
    _commit(output, manifest(record, entries, source), items, [item.evidence for item in items if item.evidence])
    return replace(record, artifacts=tuple(entry.artifact for entry in entries))


def laid(output: Output, subject: str, data: bytes, *, signed: bool) -> Bundle:
    """Envelopes about a subject in a private file, or where the last release has the same ones. Called under `output_lock`.

    Raises:
        IncompleteError: the folder cannot be written.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    path = output.object(sha256, EVIDENCE)
    with disk_errors(output.out):
        if output.digest_of(path) != sha256:
            path = output.workplace(subject) / f"bundle{EVIDENCE}"
            path.unlink(missing_ok=True)
            path.write_bytes(data)
            output.remember(path, sha256)
    return Bundle(path=path, sha256=sha256, signed=signed)


def revise(output: Output, data: bytes, evidence: Iterable[Bundle]) -> None:
    """Put another manifest of the same release into the folder, with the evidence that it names. Called under `output_lock`.

    Raises:
        IncompleteError: the folder cannot be written. Before the commit point the old manifest and the old evidence hold.
    """
    _commit(output, data, (), evidence)


def _commit(output: Output, data: bytes, items: Iterable[Published], evidence: Iterable[Bundle]) -> None:
    """Keep what a manifest names and is not there yet, write it, and let the NAME files follow."""
    out = output.out
    with disk_errors(out):
        before = _read(out / MANIFEST)
        try:
            for item in items:
                _keep(output, item)
            for bundle in evidence:
                _take(output, output.object(bundle.sha256, EVIDENCE), bundle.path, bundle.sha256)
            output.settle()
            if before is not None:
                _put(output, output.store / _PREVIOUS, (out / MANIFEST).read_bytes())
            _put(output, out / MANIFEST, data)
        except (ShipsafeError, OSError):
            if _read(out / MANIFEST) == before:
                with suppress(OSError):
                    output.sweep(_files(before).values())
            raise
        _follow(output)


def look_ahead(output: Output) -> None:
    """Read what the last release left, beside other work: its digests are wanted soon. Whatever is wrong is found by `repair`.

    A run that ends meanwhile, as one that is refused does, starts no threads any more: a RuntimeError that is nobody's news.
    """
    with suppress(ShipsafeError, OSError, RuntimeError), ThreadPoolExecutor(_READERS, thread_name_prefix="look-ahead") as pool:
        for _ in pool.map(output.digest_of, (output.out / name for name in _files(_read(output.out / MANIFEST)))):
            pass


def repair(output: Output) -> None:
    """Finish what a crash left: NAME files follow the manifest, and what nothing names any more is removed.

    Raises:
        IncompleteError: the folder cannot be written, or `shipsafe.json` in it is not ours.
    """
    if output.store.is_dir() and not output.store.is_symlink():
        with disk_errors(output.out):
            _follow(output)


def check_unchanged(output: Output) -> None:
    """Refuse a release in which somebody has changed a file: `repair` would put it right, and nobody would hear of it.

    What a crash of ours leaves, no file or that of the release before, is left to `repair`.

    Raises:
        IntegrityError: a file is neither of this release nor of the one before.
        IncompleteError: the folder cannot be read.
    """
    with disk_errors(output.out):
        before = _files(_read(output.store / _PREVIOUS))
        for name, digest in _files(_read(output.out / MANIFEST)).items():
            found = output.digest_of(output.out / name)
            if found not in (None, digest, before.get(name)):
                what = f"It is not the file of the release: its sha256 is {found[:12]}... instead of {digest[:12]}...."
                raise IntegrityError(what, remedy=_CHANGED, path=str(output.out / name))


def _put(output: Output, target: Path, data: bytes) -> None:
    output.put(target, [data], hashlib.sha256(data).hexdigest())


def entry_of(item: Published) -> Entry:
    """What the release manifest says of it."""
    archive = item.archive
    artifact = Artifact(
        name=item.name,
        subject=archive.subject,
        path=f"{item.name}.zip",
        sha256=archive.sha256,
        code_sha256=archive.code_sha256,
        content_digest=archive.content_digest,
        size=archive.size,
        sbom=f"{item.name}.cdx.json" if item.sbom else "",
        sbom_sha256=item.sbom_sha256,
        evidence=f"{item.name}{EVIDENCE}" if item.evidence else "",
        evidence_sha256=item.evidence.sha256 if item.evidence else "",
    )
    signed = item.evidence is not None and item.evidence.signed
    return Entry(artifact=artifact, archive=archive, told=item.told, location=item.location, prebuilt=item.prebuilt, evidence_signed=signed)


def _keep(output: Output, item: Published) -> None:
    """Put an archive and its SBOM under their digests, where they are not there already."""
    archive = item.archive
    _take(output, output.object(archive.sha256, ".zip"), archive.path, archive.sha256)
    if item.sbom is not None:
        _take(output, output.object(item.sbom_sha256, ".cdx.json"), item.sbom, item.sbom_sha256)


def _take(output: Output, target: Path, source: Path, digest: str) -> None:
    if output.digest_of(target) != digest:
        output.take(target, source, digest)


def _follow(output: Output) -> None:
    """Make the NAME files what the manifest says, and remove what it does not name."""
    files = _files(_read(output.out / MANIFEST))
    for name, digest in files.items():
        _restore(output, output.out / name, digest)
    output.settle()
    journal = output.store / _PREVIOUS
    for name, digest in _files(_read(journal)).items():
        if name not in files and output.digest_of(output.out / name) == digest:
            output.step(f"remove {name}")
            (output.out / name).unlink()
    output.step("forget the previous release")
    journal.unlink(missing_ok=True)
    output.sweep(files.values())


def _restore(output: Output, target: Path, digest: str) -> None:
    """Link the object to its NAME where that is not what the manifest says. What is lost in both places stays lost."""
    kept = output.object(digest, _suffix(target.name))
    if output.digest_of(target) != digest and output.digest_of(kept) == digest:
        if target.is_dir() and not target.is_symlink():
            raise IncompleteError("There is a folder where a file should be.", remedy=_FOREIGN, path=str(target))
        output.take(target, kept, digest)


def _read(path: Path) -> Mapping[str, Any] | None:
    """A release manifest, or None when there is none (a link counts as none).

    Raises:
        IncompleteError: there is something else of its name.
    """
    if path.is_symlink() or not path.exists():
        return None
    foreign = IncompleteError("Not a release manifest of shipsafe.", remedy=_FOREIGN, path=str(path))
    try:
        data = read_bounded(path, limit=_LARGEST)
        if holds_more(data, _MOST):
            raise foreign
        document = json.loads(data)
    except (ConfigError, ValueError, RecursionError) as error:
        raise foreign from error
    if not isinstance(document, dict) or "schema_version" not in document or not isinstance(document.get("artifacts"), list):
        raise foreign
    return document


def _files(document: Mapping[str, Any] | None) -> dict[str, str]:
    """File name -> SHA-256 of every file that a manifest names; nothing that could not be ours is believed."""
    found: dict[str, str] = {}
    for artifact in document["artifacts"] if document else ():
        with suppress(KeyError, TypeError):
            found[artifact["path"]] = artifact["digests"]["sha256"]
            for more in (artifact["sbom"], artifact.get("evidence")):
                if more:
                    found[more["path"]] = more["sha256"]
    return {name: digest for name, digest in found.items() if _is_ours(name) and _HEX.fullmatch(str(digest))}


def _suffix(name: str) -> str:
    return next(suffix for suffix in _SUFFIXES if name.endswith(suffix))


def _is_ours(name: object) -> bool:
    if not isinstance(name, str) or not name.endswith(_SUFFIXES):
        return False
    stem = name.removesuffix(_suffix(name))
    return _NAME.fullmatch(stem) is not None and stem.casefold() != "shipsafe"
