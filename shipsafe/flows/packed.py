"""Pack a tree and finish its SBOM beside the gates; or find both where the last release left them.

What goes into an archive decides its bytes. So where an earlier run made an archive of the same content, and the output folder
still holds it with the digest that it had, nothing is compressed and nothing is written again.
"""

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import disk_errors
from shipsafe.evidence.sbom import complete
from shipsafe.flows import answers
from shipsafe.flows.ask import Case, inquiry_of, run
from shipsafe.flows.bench import Bench
from shipsafe.gates.sbom import DOCUMENT, GATE
from shipsafe.model.artifact import Archive
from shipsafe.model.gate import Inquiry
from shipsafe.model.outcome import State
from shipsafe.model.tree import StagedTree
from shipsafe.packing.archive import compressor, pack
from shipsafe.packing.output import Output
from shipsafe.packing.reproducible import check_reproducible


@dataclass(frozen=True, slots=True, kw_only=True)
class Sbom:
    """A finished SBOM on the disk, and its hex SHA-256."""

    path: Path
    sha256: str


def packed(bench: Bench, output: Output, case: Case, tree: StagedTree) -> Archive:
    """The archive of a tree, in a private folder or in the output folder's store.

    Raises:
        IntegrityError: a file changed between being audited and being packed; or `--check-reproducible` found a difference.
        IncompleteError: it cannot be read or written.
    """
    subject = case.subject
    with bench.timeline.leg("compress", subject.subject) as leg:
        question = archive_question(tree)
        archive = _kept_archive(bench, output, tree, question)
        leg.cached = archive is not None
        if archive is None:
            archive = pack(tree, output.workplace(subject.subject) / "package.zip", bench.members)
            _sync(archive.path)
            output.remember(archive.path, archive.sha256)
            bench.answers.keep(
                "archive", question, {key: value for key, value in asdict(archive).items() if key not in ("subject", "path")}
            )
        if bench.check_reproducible:
            tree.materialise()
            check_reproducible(tree, archive, workspace=bench.place(subject, "again"))
    bench.progress.update(subject.subject, "pack", State.ANSWERED, f"{archive.size / 1e6:.1f} MB")
    return archive


def _sync(path: Path) -> None:
    """Make a file last through a crash: here, beside other work, and not when all wait for it to be published."""
    with disk_errors(path), path.open("rb") as file:
        os.fsync(file.fileno())


def archive_question(tree: StagedTree) -> object:
    """Everything that decides an archive's bytes: what is in it, and both compressors, of which a large member takes the second."""
    return [tree.content_digest, compressor(large=True)]


def _kept_archive(bench: Bench, output: Output, tree: StagedTree, question: object) -> Archive | None:
    known: dict[str, Any] | None = bench.answers.recall("archive", question)
    if known is None:
        return None
    path = output.object(known["sha256"], ".zip")
    return Archive(**known, subject=tree.subject, path=path) if output.digest_of(path) == known["sha256"] else None


def sealed(bench: Bench, output: Output, case: Case, archive: Archive) -> Sbom | None:
    """The SBOM of an archive, chained to its bytes; None where the gate, which has answered, could not write one.

    The gate's draft is made again where only its answer was kept.

    Raises:
        IntegrityError: the zip holds something else than the SBOM lists.
        IncompleteError: it cannot be written.
    """
    with bench.timeline.leg("seal", case.subject.subject) as leg:
        sbom, leg.cached = _sealed(bench, output, inquiry_of(bench, GATE, case, None), archive)
    return sbom


def _sealed(bench: Bench, output: Output, inquiry: Inquiry, archive: Archive) -> tuple[Sbom | None, bool]:
    """The SBOM, and whether it lay there."""
    asked = answers.question(GATE, inquiry, asking=bench.asking)
    question = [asked, archive.sha256]
    known = bench.answers.recall("sbom", question) if asked is not None else None
    if known is not None and output.digest_of(path := output.object(known, ".cdx.json")) == known:
        return Sbom(path=path, sha256=known), True
    draft = inquiry.workspace / DOCUMENT
    if not draft.exists():
        run(GATE, inquiry)
    if not draft.exists():
        return None, False
    data = complete(draft.read_bytes(), archive)
    path = output.workplace(inquiry.subject.subject) / DOCUMENT
    with disk_errors(path):
        path.write_bytes(data)
    _sync(path)
    sha256 = hashlib.sha256(data).hexdigest()
    output.remember(path, sha256)
    if asked is not None:
        bench.answers.keep("sbom", question, sha256)
    return Sbom(path=path, sha256=sha256), False
