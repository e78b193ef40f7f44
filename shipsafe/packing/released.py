"""A zip of a release, looked at as it is: first its bytes, then every file in it, with nothing left out.

    copied = copy_released(artifact, workspace)              # our own copy, equal to what the manifest says
    files = unpacked(copied, artifact, workspace / "tree")   # equal to what the manifest says of its content
    tree = take_released(subject, files, policy=..., claims=...)

The copy is what is looked at, so that nobody can change it while it is. Of a zip, unlike of a folder that another tool staged, nothing
is left out: what is signed is the zip, with its compiled Python and with the repository that somebody packed by mistake.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE, disk_errors
from shipsafe.errors import IncompleteError, IntegrityError
from shipsafe.model.artifact import Archive
from shipsafe.model.claims import SbomClaims
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import Subject
from shipsafe.model.tree import Origin, Source, StagedTree, content_digest
from shipsafe.packing.distributions import describe
from shipsafe.packing.draft import Draft
from shipsafe.packing.needs import Needs
from shipsafe.packing.output import pieces
from shipsafe.packing.prebuilt import ANY_PYTHON
from shipsafe.packing.provenance import Known, know
from shipsafe.packing.release import ReleasedArtifact
from shipsafe.packing.runtimes import MACHINES, environment, lookup
from shipsafe.packing.unpack import unpack

_LARGEST = 512 * MEBIBYTE  # twice what Lambda takes unzipped
_REMEDY = "Somebody changed the zip or the release manifest: find out who, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Of a file: SHA-256 and SHA-512 in hex, SHA-256 in base64 as Lambda has it, and its bytes."""

    sha256: str
    sha512: str
    code_sha256: str
    size: int


def copy_zip(source: Path, target: Path, *, shown: str) -> Digests:
    """Copy a zip into a private folder.

    Raises:
        IntegrityError: it is a link, or no regular file.
        IncompleteError: it is not there, cannot be read, or is larger than 512 MiB; or the disk is full.
    """
    if source.is_symlink() or (source.exists() and not source.is_file()):
        raise IntegrityError("Not a regular file.", remedy="Put the zip itself there.", path=shown)
    if not source.exists():
        raise IncompleteError("The zip is not there.", remedy="Bring along what the build left, whole.", path=shown)
    short, long, size = hashlib.sha256(), hashlib.sha512(), 0
    with disk_errors(Path(shown)), target.open("xb") as sink:
        for piece in pieces(source):
            size += len(piece)
            if size > _LARGEST:
                raise IncompleteError(f"Larger than {_LARGEST // MEBIBYTE} MiB.", remedy="Lambda takes 250 MiB unzipped.", path=shown)
            short.update(piece)
            long.update(piece)
            sink.write(piece)
    code_sha256 = base64.b64encode(short.digest()).decode()
    return Digests(sha256=short.hexdigest(), sha512=long.hexdigest(), code_sha256=code_sha256, size=size)


def take_released(
    artifact: ReleasedArtifact, subject: Subject, workspace: Path, *, policy: Policy, claims: SbomClaims | None
) -> tuple[StagedTree, Archive]:
    """What lies in a zip of a release, and its digests.

    Args:
        artifact: what the manifest says of it.
        subject: whose it is.
        workspace: a private, empty folder.
        policy: for what is first-party.
        claims: what its SBOM says beside what can be seen.

    Raises:
        IntegrityError: it is not what the manifest says.
        IncompleteError: it is not there, or is a zip that is refused.
    """
    shown = str(artifact.path)
    copy = workspace / "package.zip"
    found = copy_zip(artifact.path, copy, shown=shown)
    stated = Digests(sha256=artifact.sha256, sha512=artifact.sha512, code_sha256=artifact.code_sha256, size=artifact.size)
    if found != stated:
        what = f"It is not the zip of the release: its SHA-256 is {found.sha256[:12]}... instead of {artifact.sha256[:12]}...."
        raise IntegrityError(what, remedy=_REMEDY, path=shown)
    draft = _unpacked(copy, workspace / "tree", shown=artifact.path.name)
    content = content_digest(draft.entries.values())
    if content != artifact.content_digest or len(draft.entries) != artifact.entries:
        raise IntegrityError("What lies in the zip is not what the release manifest says.", remedy=_REMEDY, path=shown)
    tree = _known(draft, subject, artifact, policy, claims)
    archive = Archive(
        subject=subject.subject,
        path=artifact.path,
        sha256=found.sha256,
        sha512=found.sha512,
        code_sha256=found.code_sha256,
        content_digest=content,
        size=found.size,
        unzipped=tree.size,
        entries=len(tree.entries),
        compressor="",
    )
    return tree, archive


def _unpacked(copy: Path, root: Path, *, shown: str) -> Draft:
    """Every file of the zip, as code that stands in it; the copy is no longer needed then."""
    draft = Draft(root)
    with disk_errors(root):
        root.mkdir()
        for path, file, mode in unpack(copy, root, shown=shown):
            draft.note(path, file, Origin.CODE, Location(path=f"{shown}/{path}"), mode=mode)
        copy.unlink()
    if not draft.entries:
        raise IncompleteError("There is no file in the zip.", remedy="Build it again.", path=shown)
    return draft


def _known(draft: Draft, subject: Subject, artifact: ReleasedArtifact, policy: Policy, claims: SbomClaims | None) -> StagedTree:
    """The tree, with what can be said of each file."""
    runtime = lookup(subject.runtime or "")
    architecture = next((one for one in subject.architectures if one in MACHINES), "x86_64")
    markers = environment((runtime and runtime.python) or ANY_PYTHON, architecture)
    if subject.is_python:
        known = know(draft, lock=None, source=None, root=draft.root, policy=policy, environment=markers, claims=claims)
    else:  # as where it was built: nothing is installed for other languages, so that no RECORD vouches for a file
        known = Known(distributions=describe(draft.entries, prefix="", known=(), pinned={}, needs=Needs(), environment=markers))
    draft.note_collisions()
    entries = tuple(sorted(draft.entries.values(), key=lambda entry: entry.path.encode()))
    unproven = (path for one in known.distributions if one.source is Source.PREBUILT for path in one.paths)
    return StagedTree(
        subject=subject.subject,
        root=draft.root,
        entries=entries,
        distributions=known.distributions,
        problems=tuple(draft.problems),
        python=runtime.python if runtime and subject.is_python else None,
        inputs=tuple(path for path, _ in artifact.told.locks),
        unproven=tuple(sorted(set(unproven))),
        notes=known.notes,
    )
