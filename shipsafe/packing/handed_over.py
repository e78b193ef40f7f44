"""A zip that somebody handed over, looked at as it is: first its bytes, then every file in it, with nothing left out.

    zipped = take_zip(path, copy, root, shown="dist/Pay.zip", stated=artifact)   # our own copy, as the manifest says, and unpacked
    tree = known_tree(zipped, subject, policy=..., claims=...)                    # whose each file is

The copy is what is looked at, so that nobody can change it while it is. Of a zip, unlike of a folder that another tool staged, nothing
is left out: what is signed is the zip, with its compiled Python and with the repository that somebody packed by mistake.
"""

import base64
import hashlib
from collections.abc import Mapping
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
from shipsafe.packing.zip_bytes import check_bytes

_LARGEST = 512 * MEBIBYTE  # twice what Lambda takes unzipped
_CHANGED = "Somebody changed the zip or the release manifest: find out who, and build again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Zipped:
    """A zip, unpacked: the file that was handed over, our copy of it, its digests (as in `Archive`), and all that lies in it, as code."""

    path: Path
    copy: Path
    sha256: str
    sha512: str
    code_sha256: str
    content_digest: str
    size: int
    draft: Draft

    def archive(self, subject: str) -> Archive:
        """What the zip is, as whoever packs one says it."""
        return Archive(
            subject=subject,
            path=self.copy,
            sha256=self.sha256,
            sha512=self.sha512,
            code_sha256=self.code_sha256,
            content_digest=self.content_digest,
            size=self.size,
            unzipped=sum(entry.size for entry in self.draft.entries.values()),
            entries=len(self.draft.entries),
            compressor="not known",
        )


def take_zip(path: Path, copy: Path, root: Path, *, shown: str, stated: ReleasedArtifact | None = None) -> Zipped:
    """Copy a zip, and unpack it once its bytes are known to be the right ones.

    Args:
        path: the zip.
        copy: where to copy it; not there yet.
        root: the folder to unpack it into; not there yet.
        shown: the zip, for people.
        stated: what a release manifest says of it; None for a zip that no manifest names.

    Raises:
        IntegrityError: it is a link, no regular file, or not what is stated.
        IncompleteError: it is not there, cannot be read, is too large, empty or malformed; or the disk is full.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise IntegrityError("Not a regular file.", remedy="Put the zip itself there.", path=shown)
    if not path.exists():
        raise IncompleteError("The zip is not there.", remedy="Bring along what was built, whole.", path=shown)
    too_large = IncompleteError(f"Larger than {_LARGEST // MEBIBYTE} MiB.", remedy="Lambda takes 250 MB unzipped.", path=shown)
    if path.stat().st_size > _LARGEST:
        raise too_large
    short, long, size = hashlib.sha256(), hashlib.sha512(), 0
    with disk_errors(path), copy.open("xb") as sink:
        for piece in pieces(path):
            size += len(piece)
            if size > _LARGEST:  # it grows while it is read
                raise too_large
            short.update(piece)
            long.update(piece)
            sink.write(piece)
    digests = {"sha256": short.hexdigest(), "sha512": long.hexdigest(), "code_sha256": base64.b64encode(short.digest()).decode()}
    if stated is not None:
        _check_bytes(digests, size, stated, shown)
    draft = _unpacked(copy, root, shown)
    content = content_digest(draft.entries.values())
    if stated is not None and (content, len(draft.entries)) != (stated.content_digest, stated.entries):
        raise IntegrityError("What lies in the zip is not what the release manifest says.", remedy=_CHANGED, path=shown)
    return Zipped(path=path, copy=copy, content_digest=content, size=size, draft=draft, **digests)


def _check_bytes(digests: Mapping[str, str], size: int, stated: ReleasedArtifact, shown: str) -> None:
    """Compare a zip's bytes with what a release manifest says of it."""
    for name, found in {**digests, "size": size}.items():
        if found != (told := getattr(stated, name)):
            what = f"It is not the zip of the release: its {name.replace('_', ' ')} is {str(found)[:12]}... instead of {str(told)[:12]}...."
            raise IntegrityError(what, remedy=_CHANGED, path=shown)


def _unpacked(copy: Path, root: Path, shown: str) -> Draft:
    """Every file of the zip, as code that stands in it."""
    if copy.stat().st_size == 0:
        raise IncompleteError("The zip is empty.", remedy="Build it again.", path=shown)
    check_bytes(copy, shown=shown)
    draft = Draft(root)
    with disk_errors(root):
        root.mkdir()
        for path, file, mode in unpack(copy, root, shown=shown):
            draft.note(path, file, Origin.CODE, Location(path=f"{Path(shown).name}/{path}"), mode=mode)
    if not draft.entries:
        raise IncompleteError("There is no file in the zip.", remedy="Build it again.", path=shown)
    return draft


def known_tree(
    zipped: Zipped, subject: Subject, *, policy: Policy, claims: SbomClaims | None = None, inputs: tuple[str, ...] = ()
) -> StagedTree:  # fmt: skip
    """The tree, with what can be said of each file.

    Args:
        zipped: what lies in the zip; its draft is given origins and problems.
        subject: whose it is.
        policy: for what is first-party.
        claims: what its SBOM says beside what can be seen, or None.
        inputs: the files that said what to install, as the builder says.
    """
    draft = zipped.draft
    runtime = lookup(subject.runtime or "")
    architecture = next((one for one in subject.architectures if one in MACHINES), "x86_64")  # decides only who needs whom
    markers = environment((runtime and runtime.python) or ANY_PYTHON, architecture)
    if subject.is_python:
        known = know(draft, lock=None, source=None, root=draft.root, policy=policy, environment=markers, claims=claims)
    else:  # as where it was built: nothing is installed for other languages, so that no RECORD vouches for a file
        known = Known(distributions=describe(draft.entries, prefix="", known=(), pinned={}, needs=Needs(), environment=markers))
    draft.note_collisions()
    entries = tuple(sorted(draft.entries.values(), key=lambda entry: entry.path.encode()))
    proven: set[str] = set()
    if claims is not None:  # the builder has compared them with wheels, or with the source
        unclear = {path for one in known.distributions if one.source is Source.PREBUILT for path in one.paths}
        proven = draft.entries.keys() - unclear
    return StagedTree(
        subject=subject.subject,
        root=draft.root,
        entries=entries,
        distributions=known.distributions,
        problems=tuple(draft.problems),
        python=runtime.python if runtime and subject.is_python else None,
        inputs=inputs,
        unproven=tuple(entry.path for entry in entries if entry.path not in proven),
        notes=known.notes,
    )
