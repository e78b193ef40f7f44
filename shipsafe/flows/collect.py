"""Join what several machines built: one verdict, one manifest and one report, with the bytes that one machine would have made.

Each folder holds what one `build --shard K/N` left: its JSON report as `report.json` and, where it passed, its output. The verdict
is made anew, from all outcomes together, under the policy that lies here. What the outcomes say is believed: shares come from jobs
of one's own. What can be compared is compared: that all shares were asked the same, and every byte with every digest.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.adapters.git import source_date_epoch
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.keys import open_signers
from shipsafe.flows.attest import attested, source_tree
from shipsafe.flows.build import LAST_SECOND, about_project, concluded, source_of
from shipsafe.flows.prepare import Prepared
from shipsafe.flows.shared_source import shared_source
from shipsafe.gates import project_gates, subject_gates
from shipsafe.model.artifact import Artifact
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.project import PROJECT, CodeKind, Subject
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision
from shipsafe.packing.brought import bring_archive, bring_sbom
from shipsafe.packing.manifest import manifest_of, told_of
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import MANIFEST, Published, entry_of, publish, repair
from shipsafe.reports.json_report import read

REPORT = "report.json"
_LIMIT = 100 * MEBIBYTE
_SAME = ("command", "project", "prefix", "template", "policy_digest", "overrides", "tools", "vex", "epoch")
_ONE_COMMIT = "Build all shares from one commit with the same options, and collect in a checkout of it with the same options."
_WHOLE = "Bring the output of all shares along, whole."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What one machine left: its folder, its report, and its artifacts by subject: as the report and as the manifest has them."""

    folder: Path
    record: RunRecord
    artifacts: dict[str, tuple[Artifact, Any]]

    @property
    def entries(self) -> list[Any]:
        """What its manifest says of each of its artifacts."""
        return [entry for _, entry in self.artifacts.values()]


def collect(prepared: Prepared, folders: Sequence[Path], out: Path) -> RunRecord:
    """Join the shares in `folders`, and publish them into `out` when all of them together pass.

    What is stated about the artifacts is stated here, about all of them together; only whether the source was changed is taken from what
    the shares state, because it was theirs that was built.

    Raises:
        ConfigError: a folder holds no report, or one that cannot be read; or a key cannot be used.
        IntegrityError: shares do not belong together or here, disagree, or a file is not what its report says.
        IncompleteError: what passed was not brought along, or the output folder cannot be written.
    """
    signers = open_signers(prepared.request.keys)
    shares = [_share(folder) for folder in folders]
    if not shares:
        raise ConfigError("No folder is named.", remedy="Name the folders of all shares.")
    if prepared.request.baseline_ref is not None:
        prepared = _compared(prepared, prepared.request.baseline_ref, shares)
    outcomes = _outcomes(prepared, shares)
    contents = {
        outcome.subject: digest
        for outcome in outcomes
        if outcome.gate == "package" and isinstance(digest := outcome.evidence.get("content_digest"), str)
    }
    asked = [share.record.advisories for share in shares if share.record.advisories is not None]  # None: about no Python
    # Of one snapshot that several machines pulled, the time of the oldest pull is true of all.
    oldest = min(asked, key=lambda one: one.date or "", default=None)
    record = concluded(prepared, (*outcomes, *about_project(prepared.project)), contents=contents,
                       advisories=oldest, epoch=_epoch(prepared, shares[0]))  # fmt: skip
    for share in shares:
        _check_same(record, share, baseline_of_all=prepared.request.baseline_ref is None)
    if record.verdict.decision is not Decision.PASS:
        return record
    with output_lock(out, on_wait=lambda: None):
        output = Output(out)
        repair(output)
        try:
            staged = {outcome.subject for outcome in outcomes if outcome.gate == "package" and outcome.state is not State.NOT_ASKED}
            subjects = [subject for subject in prepared.subjects if subject.subject in staged]  # of the others nothing is packed
            with ThreadPoolExecutor(prepared.request.jobs) as pool:
                items = list(pool.map(lambda subject: _brought(subject, shares, output), subjects))
            _check_entries(record, items, shares, contents)
            source = shared_source(source_tree(prepared), ((share.folder, entry) for share in shares for entry in share.entries))
            stated, record = attested(output, items, record, prepared.policy, source, signers)
            return publish(output, stated, record, source_of(prepared, out))
        finally:
            output.tidy()


def _share(folder: Path) -> _Share:
    path = folder / REPORT
    if not path.is_file():
        raise ConfigError(f"There is no {REPORT} in it.", remedy=f"Build with `--report json={REPORT}`, and bring that file along.",
                          path=str(folder))  # fmt: skip
    try:
        record = read(read_bounded(path, limit=_LIMIT).decode(), path=str(path))
    except UnicodeDecodeError as error:
        raise ConfigError("Not UTF-8.", remedy="Name a report that shipsafe wrote.", path=str(path)) from error
    if not record.artifacts:  # it did not pass: a manifest that lies there is of an earlier run
        return _Share(folder=folder, record=record, artifacts={})
    try:
        document = read_json(folder / MANIFEST, limit=_LIMIT, shown=str(folder / MANIFEST))
        entries = {entry["subject"]: entry for entry in document["artifacts"]}
        artifacts = {artifact.subject: (artifact, entries[artifact.subject]) for artifact in record.artifacts}
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            "It is not the release manifest of the report beside it.", remedy=_WHOLE, path=str(folder / MANIFEST)
        ) from error
    return _Share(folder=folder, record=record, artifacts=artifacts)


def _epoch(prepared: Prepared, first: _Share) -> int:
    """The time in documents: of the commit that lies here; without one, of the day on which the shares were built."""
    here = source_date_epoch(prepared.project.root)
    return first.record.epoch if here is None else min(here, LAST_SECOND)


def _compared(prepared: Prepared, name: str, shares: Sequence[_Share]) -> Prepared:
    """With what the shares found at another revision."""
    from shipsafe.flows.shared_baseline import shared_baseline  # noqa: PLC0415 - few runs compare

    baseline, remarks = shared_baseline(prepared, name, [share.record for share in shares])
    project = replace(prepared.project, hints=(*prepared.project.hints, *remarks))
    return replace(prepared, known=prepared.known.beside(baseline), project=project)


def _check_same(record: RunRecord, share: _Share, *, baseline_of_all: bool) -> None:
    """Everything that an answer rests on has to be the same, here and on every machine.

    With `baseline_of_all` False each share knows the findings of its own functions alone: then it is the same revision, and the same file.
    """

    def differs(what: str) -> IntegrityError:
        return IntegrityError(f"This share and what lies here differ in their {what}.", remedy=_ONE_COMMIT, path=str(share.folder))

    for name in _SAME:
        if getattr(share.record, name) != getattr(record, name):
            raise differs("time of the commit" if name == "epoch" else name.replace("_", " "))
    own, whole = share.record.baseline, record.baseline
    if own and whole and not baseline_of_all:
        own = replace(own, entries=whole.entries)
    if own != whole:
        raise differs("baseline")
    theirs, ours = share.record.advisories, record.advisories
    if theirs and ours and replace(theirs, date=ours.date) != ours:
        raise IntegrityError("Two shares were asked about different advisories.", remedy="Fetch one snapshot, and give it to all shares: "
                             "`shipsafe advisories pull --from FILE`.", path=str(share.folder))  # fmt: skip


def _outcomes(prepared: Prepared, shares: Iterable[_Share]) -> list[Outcome]:
    """One outcome for each subject and gate, in their order; what no share was asked is unanswered."""
    wanted = [(subject.subject, gate.id) for subject in prepared.subjects for gate in subject_gates()]
    required = prepared.policy.required
    wanted += [(PROJECT, gate.id) for gate in project_gates() if gate.id in required or gate.arises(prepared.project)]
    known = {*wanted, *((outcome.subject, outcome.gate) for outcome in about_project(prepared.project))}
    found: dict[tuple[str, str], Outcome] = {}
    for share in shares:
        for outcome in share.record.outcomes:
            if (outcome.subject, outcome.gate) not in known:
                raise IntegrityError(f"It was asked {outcome.gate} about {outcome.subject}, which nobody asks here.", remedy=_ONE_COMMIT,
                                     path=str(share.folder))  # fmt: skip
            there = found.setdefault((outcome.subject, outcome.gate), outcome)
            if State.UNANSWERED in (there.state, outcome.state):  # one of them could not look: that is no pass, and no lie
                found[outcome.subject, outcome.gate] = there if there.state is State.UNANSWERED else outcome
            elif there != outcome:
                raise IntegrityError(f"Two shares disagree about {outcome.gate} of {outcome.subject}.", remedy=_ONE_COMMIT,
                                     path=str(share.folder))  # fmt: skip
    missing = "No share was asked about it. Name the folders of all shares."
    return [found.get((subject, gate)) or Outcome.unanswered(gate, subject, missing) for subject, gate in wanted]


def _brought(subject: Subject, shares: Iterable[_Share], output: Output) -> Published:
    """An artifact as its share left it: a copy, compared with its digests."""
    share = next((share for share in shares if subject.subject in share.artifacts), None)
    if share is None:
        raise IncompleteError(f"No share brought the archive of {subject.subject}.", remedy=_WHOLE)
    artifact, entry = share.artifacts[subject.subject]
    workplace = output.workplace(subject.subject)
    compressor = entry.get("compressor") if isinstance(entry, dict) else None
    archive = bring_archive(subject.subject, share.folder / f"{subject.name}.zip", workplace, sha256=artifact.sha256,
                            compressor=str(compressor))  # fmt: skip
    source = share.folder / f"{subject.name}.cdx.json"
    return Published(
        name=subject.name,
        archive=archive,
        sbom=bring_sbom(source, workplace, archive, sha256=artifact.sbom_sha256) if artifact.sbom else None,
        sbom_sha256=artifact.sbom_sha256,
        told=told_of(subject, _locks(entry)),
        prebuilt=subject.code.prebuilt or subject.code.kind is CodeKind.ZIP,
        location=subject.location,
    )


def _locks(entry: Any) -> tuple[tuple[str, str], ...]:
    """What a share says of the files that said what to install: a claim, which nothing here can check."""
    try:
        return tuple((str(one["path"]), str(one["sha256"])) for one in entry["locks"])
    except (KeyError, TypeError):
        return ()


def _check_entries(record: RunRecord, items: Sequence[Published], shares: Iterable[_Share], contents: dict[str, str]) -> None:
    """Every share has to say of its artifacts what is about to be published, and its gates have to have looked at their content.

    What a share states in its evidence speaks of the share alone.
    """
    ours = {item.archive.subject: (item, entry_of(item).artifact, manifest_of(record, entry_of(item))) for item in items}
    for share in shares:
        for subject, (artifact, entry) in share.artifacts.items():
            item, made, told = ours.get(subject, (None, None, None))
            said = {key: value for key, value in entry.items() if key != "evidence"} if isinstance(entry, dict) else entry
            if (replace(artifact, evidence="", evidence_sha256=""), said) != (made, told):
                raise IntegrityError(f"What it says of the artifact of {subject} is not true of what was brought.",
                                     remedy=_ONE_COMMIT, path=str(share.folder))  # fmt: skip
            if item is not None and contents.get(subject, item.archive.content_digest) != item.archive.content_digest:
                raise IntegrityError(f"The archive of {subject} holds something else than what was asked about.", remedy=_WHOLE,
                                     path=str(share.folder))  # fmt: skip
