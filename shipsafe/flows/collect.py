"""Join what several machines built: one verdict, one manifest and one report, with the bytes that one machine would have made.

Each folder holds what one `build --shard K/N` left: its JSON report as `report.json` and, where it passed, its output. Verdicts are
not joined but made anew, from all outcomes together, under the policy that lies here.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.flows.ask import is_image
from shipsafe.flows.build import about_project, concluded
from shipsafe.flows.prepare import Prepared
from shipsafe.gates import all_gates
from shipsafe.model.artifact import Archive
from shipsafe.model.outcome import Outcome
from shipsafe.model.project import CodeKind, Function, Subject
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import MANIFEST, Published, publish, repair
from shipsafe.reports.json_report import read

REPORT = "report.json"
_LIMIT = 100 * MEBIBYTE
_SAME = ("project", "prefix", "template", "policy_digest", "overrides", "tools", "advisories", "vex", "baseline", "epoch", "command")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What one machine left: its folder, its report, and its artifacts by subject as the manifest has them."""

    folder: Path
    record: RunRecord
    artifacts: dict[str, Any]


def collect(prepared: Prepared, folders: Sequence[Path], out: Path) -> RunRecord:
    """Join the shares in `folders`, and publish them into `out` when all of them together pass.

    Raises:
        ConfigError: a folder holds no report.
        IntegrityError: two shares do not belong together, disagree, or an artifact is not what its manifest says.
        IncompleteError: the output folder cannot be written.
    """
    shares = [_share(folder) for folder in folders]
    _check_together(prepared, shares)
    outcomes = _outcomes(prepared, shares)
    first = shares[0].record
    contents = {
        outcome.subject: digest
        for outcome in outcomes
        if outcome.gate == "package" and isinstance(digest := outcome.evidence.get("content_digest"), str)
    }
    record = concluded(
        prepared, (*outcomes, *about_project(prepared.project)), contents=contents, advisories=first.advisories, epoch=first.epoch
    )
    if record.verdict.decision is not Decision.PASS:
        return record
    with output_lock(out, on_wait=lambda: None):
        output = Output(out)
        repair(output)
        return publish(output, [_published(subject, shares) for subject in prepared.subjects if not is_image(subject)], record)


def _share(folder: Path) -> _Share:
    path = folder / REPORT
    if not path.is_file():
        raise ConfigError(f"There is no {REPORT} in it.", remedy=f"Build with `--report json={REPORT}`, and bring that file along.",
                          path=str(folder))  # fmt: skip
    try:
        record = read(read_bounded(path, limit=_LIMIT).decode(), path=str(path))
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Name a report that shipsafe wrote.", path=str(path)) from error
    artifacts = {}
    if (folder / MANIFEST).is_file():
        try:
            document = json.loads(read_bounded(folder / MANIFEST, limit=_LIMIT))
            artifacts = {artifact["subject"]: artifact for artifact in document["artifacts"]}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConfigError("Not a release manifest of shipsafe.", remedy="Bring the share's output along whole.",
                              path=str(folder / MANIFEST)) from error  # fmt: skip
    return _Share(folder=folder, record=record, artifacts=artifacts)


def _check_together(prepared: Prepared, shares: Sequence[_Share]) -> None:
    """Everything that an answer rests on has to be the same, here and on every machine."""
    if not shares:
        raise ConfigError("No folder is named.", remedy="Name the folders of all shares.")
    first = shares[0]
    if first.record.policy_digest != prepared.policy.digest:
        raise IntegrityError("The share was judged under another policy than the one that lies here.",
                             remedy="Collect in the checkout that was built.", path=str(first.folder))  # fmt: skip
    for share in shares[1:]:
        for name in _SAME:
            if getattr(share.record, name) != getattr(first.record, name):
                raise IntegrityError(f"Its {name.replace('_', ' ')} is another than that of {first.folder}.",
                                     remedy="Build all shares from one commit, with the same options.", path=str(share.folder))  # fmt: skip


def _outcomes(prepared: Prepared, shares: Iterable[_Share]) -> list[Outcome]:
    """One outcome for each subject and gate, in their order; what no share was asked is unanswered."""
    found: dict[tuple[str, str], Outcome] = {}
    for share in shares:
        for outcome in share.record.outcomes:
            there = found.setdefault((outcome.subject, outcome.gate), outcome)
            if there != outcome:
                raise IntegrityError(f"Two shares disagree about {outcome.gate} of {outcome.subject}.",
                                     remedy="Build all shares from one commit, with the same options.", path=str(share.folder))  # fmt: skip
    missing = "No share was asked about it. Name the folders of all shares."
    return [
        found.get((subject.subject, gate.id)) or Outcome.unanswered(gate.id, subject.subject, missing)
        for subject in prepared.subjects
        for gate in all_gates()
    ]


def _published(subject: Subject, shares: Iterable[_Share]) -> Published:
    """An artifact as its share left it; `publish` compares the bytes with the digests."""
    share = next((share for share in shares if subject.subject in share.artifacts), None)
    if share is None:
        raise IntegrityError(f"No share brought the archive of {subject.subject}.", remedy="Bring the output of all shares along, whole.")
    folder, artifact = share.folder, share.artifacts[subject.subject]
    try:
        sbom = artifact["sbom"]
        archive = Archive(
            subject=subject.subject, path=folder / Path(artifact["path"]).name, sha256=artifact["digests"]["sha256"],
            sha512=artifact["digests"]["sha512"], code_sha256=artifact["digests"]["code_sha256"],
            content_digest=artifact["digests"]["content_digest"], size=artifact["size"], unzipped=artifact["unzipped"],
            entries=artifact["entries"], compressor=artifact["compressor"])  # fmt: skip
        return Published(
            name=subject.name,
            archive=archive,
            sbom=folder / Path(sbom["path"]).name if sbom else None,
            sbom_sha256=sbom["sha256"] if sbom else "",
            layers=subject.layers if isinstance(subject, Function) else (),
            prebuilt=subject.code.prebuilt or subject.code.kind is CodeKind.ZIP,
            location=subject.location,
        )
    except (KeyError, TypeError) as error:
        raise ConfigError(f"Its entry for {subject.subject} is not that of a release manifest.",
                          remedy="Bring the share's output along whole.", path=str(folder / MANIFEST)) from error  # fmt: skip
