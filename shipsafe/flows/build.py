"""The straight line of `check` and `build`: policy, project, outcomes, verdict, artifacts, record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from shipsafe.adapters.files import relative
from shipsafe.adapters.git import head_commit, repository_prefix
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, ShipsafeError
from shipsafe.evidence.envelope import written
from shipsafe.evidence.keys import open_signers
from shipsafe.evidence.provenance import SourceTree, resource
from shipsafe.flows.answers import tools
from shipsafe.flows.ask import is_image
from shipsafe.flows.attest import attested, names_of, source_tree
from shipsafe.flows.bench import Bench, open_bench
from shipsafe.flows.examine import Examined, examine, layers_of
from shipsafe.flows.prepare import Prepared, prepare
from shipsafe.flows.request import Request
from shipsafe.gates import all_gates, all_rules, subject_gates
from shipsafe.gates.size import zipped_note
from shipsafe.judge import beyond_override, judge
from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.baseline import BaselineEntry
from shipsafe.model.finding import Rule
from shipsafe.model.outcome import Outcome
from shipsafe.model.project import CodeKind, Project
from shipsafe.model.record import RunRecord
from shipsafe.packing.manifest import Source, manifest_of, told_of
from shipsafe.packing.output import Output, digest_of
from shipsafe.packing.publish import Published, entry_of, look_ahead, publish
from shipsafe.policy.vex import bound
from shipsafe.reports.live import Progress

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

LAST_SECOND = 253_402_300_799  # of the year 9999, the last that a date can name


def _now() -> datetime:
    return datetime.now(UTC)


def build(request: Request, progress: Progress, timeline: Timeline, *, now: Callable[[], datetime] = _now) -> RunRecord:
    """Do what was asked, and give the record of it.

    Only a `build` that passes, or that somebody answers for, changes anything outside the cache.

    Raises:
        ConfigError: the command line, the policy, the template or a key cannot be used.
        NothingError: there is no function to examine.
        IncompleteError: the output folder cannot be written, or a key cannot be asked to sign.
        IntegrityError: bytes changed while they were looked at.
    """
    signers = open_signers(request.keys)  # before anything is done: a wrong password costs nothing then
    output = Output(request.out) if request.out is not None else None
    if output is not None:
        Thread(target=look_ahead, args=(output,), name="look ahead", daemon=True).start()
    with timeline.leg("read"):
        prepared = prepare(request)
    if request.break_glass is not None:
        _may_answer(prepared, signers)
    with open_bench(prepared, progress, timeline, output) as opened, ThreadPoolExecutor(1, thread_name_prefix="source") as pool:
        source = pool.submit(source_tree, prepared) if output is not None else None  # as it is while it is staged
        prepared, bench = _compared(prepared, opened)
        progress.start([subject.subject for subject in prepared.subjects], [gate.id for gate in subject_gates()], packs=bench.packs)
        examined = examine(bench, prepared.subjects)
        if request.check_reproducible and bench.packs:
            progress.say("Every archive was packed a second time, in other circumstances, with the same bytes.")
        bench.clear()
        record = concluded(
            prepared, (*_with_zipped_sizes(examined), *about_project(prepared.project)), contents=examined.contents,
            advisories=info_of(examined), epoch=epoch_of(bench))  # fmt: skip
        items = _released(examined, prepared) if bench.output is not None and (record.verdict.passes or request.break_glass) else []
        record, override = _answered_for(record, items, prepared, signers, now)
        if bench.output is not None and record.verdict.passes:
            with timeline.leg("attest"):
                told = source.result() if source is not None else SourceTree()
                items, record = attested(bench.output, items, record, prepared.policy, told, signers, carried=override)
            with timeline.leg("publish"):
                record = publish(bench.output, items, record, source_of(prepared, bench.output.out))
        return record


def _may_answer(prepared: Prepared, signers: "Sequence[Signer]") -> None:
    """Whether somebody may answer for this build, before it is begun.

    Raises:
        ConfigError: nobody may.
    """
    from shipsafe.flows.break_glass import refuse_unless_allowed  # noqa: PLC0415 - few builds need it

    request = prepared.request
    if request.shard:
        raise ConfigError("An override is of a whole release, and this is a share of one.", remedy="Build without --shard.")
    refuse_unless_allowed(request.break_glass, prepared.policy, signers, request.today)


def _answered_for(
    record: RunRecord, items: Sequence[Published], prepared: Prepared, signers: "Sequence[Signer]", now: Callable[[], datetime]
) -> tuple[RunRecord, bytes]:  # fmt: skip
    """The record as somebody answers for it, and the envelope of the override; the record as it is, and nothing, where nobody does.

    What could not be packed is not there, and nobody's word puts it there.
    """
    asked, policy = prepared.request.break_glass, prepared.policy
    if asked is None:
        return record, b""
    from shipsafe.flows.break_glass import break_glass  # noqa: PLC0415 - as above

    there = {one.archive.subject for one in items}
    missing = [one.subject for one in prepared.subjects if not is_image(one) and one.subject not in there]
    zips = [resource(manifest_of(record, entry_of(one))) for one in items] if not missing else []
    names = tuple(names_of(signers, policy.attest))
    made = break_glass(record.verdict, zips, asked, policy, now=now(), names=names)
    if made is not None:
        return replace(record, verdict=made.verdict), written(made.statement, signers)
    beyond = [f"{one.rule} at {one.subject}" for one in record.verdict.blocking if beyond_override(one, policy)]
    if record.verdict.passes:
        hint = "Nothing was overridden: it passes."
    elif missing:
        hint = f"No override: {missing[0]} could not be packed, so that there is nothing to let through."
    else:
        hint = f"No override: nobody can answer for {', '.join(beyond) or 'a release that holds nothing'}."
    return replace(record, hints=(*record.hints, hint)), b""


def _compared(prepared: Prepared, bench: Bench) -> tuple[Prepared, Bench]:
    """With what another revision says, where one is named."""
    request, remarks = prepared.request, prepared.project.hints
    if request.changed_since is None and request.baseline_ref is None and not request.shard:
        return prepared, bench
    from shipsafe.flows.revision import baseline_at, unchanged_since  # noqa: PLC0415 - few runs compare

    if request.changed_since is not None:
        with bench.timeline.leg("since"):
            before, said = unchanged_since(bench, prepared, request.changed_since)
        bench, remarks = replace(bench, before=before), (*remarks, *said)
    if request.shard:
        prepared, share = _shared(prepared, bench, *request.shard)
        remarks = (*remarks, share)
    if request.baseline_ref is not None:
        with bench.timeline.leg("baseline"):
            baseline, said = baseline_at(bench, prepared, request.baseline_ref)
        prepared, remarks = replace(prepared, known=prepared.known.beside(baseline)), (*remarks, *said)
    return replace(prepared, project=replace(prepared.project, hints=remarks)), bench


def _shared(prepared: Prepared, bench: Bench, number: int, of: int) -> tuple[Prepared, str]:
    """This machine's share, with the layers that its functions use: they are looked at by every machine that needs them; and a remark."""
    from shipsafe.flows.plan import share_of  # noqa: PLC0415 - few runs are shares

    mine = set(share_of(bench, prepared.subjects, number, of).subjects)
    used = {name for one in prepared.subjects if one.subject in mine for name in layers_of(bench, one)}
    subjects = tuple(one for one in prepared.subjects if one.subject in mine | used)
    hint = (
        f"Share {number} of {of}: {len(subjects)} of {len(prepared.subjects)} functions and layers. `shipsafe report collect` joins them."
    )
    return replace(prepared, subjects=subjects), hint


def concluded(
    prepared: Prepared, outcomes: Sequence[Outcome], *, contents: Mapping[str, str], advisories: AdvisoryInfo | None, epoch: int
) -> RunRecord:  # fmt: skip
    """Judge, and write down what every report tells.

    Args:
        prepared: what was asked for.
        outcomes: in the order of the subjects and gates.
        contents: content digests by subject.
        advisories: those that were asked.
        epoch: seconds since 1970 for times in documents.
    """
    policy, project, request = prepared.policy, prepared.project, prepared.request
    judged = prepared.known.judged(
        partial(judge, policy, outcomes, request.today, statements=bound(prepared.statements, contents), left_out=_left_out(prepared)),
        asked=_asked(outcomes, prepared),
    )
    return RunRecord(
        command=request.command,
        project=project.root.name,
        prefix=repository_prefix(project.root),
        template=project.template,
        policy=policy.path,
        policy_digest=policy.digest,
        verdict=judged.verdict,
        advisories=advisories,
        tools=tools(),
        outcomes=tuple(outcomes),
        modes={gate: str(policy.gate(gate).mode_on(request.today)) for gate in _gates_of(outcomes)},
        rules=_named_rules(outcomes),
        hints=(*project.hints, *judged.remarks),
        vex=prepared.documents,
        baseline=judged.baseline,
        overrides=policy.overrides,
        epoch=epoch,
    )


def _gates_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Those of every subject, and of those about the project the ones that were asked."""
    asked = {gate.id for gate in subject_gates()} | {outcome.gate for outcome in outcomes}
    return [gate.id for gate in all_gates() if gate.id in asked]


def _left_out(prepared: Prepared) -> list[str]:
    """What the project has and this run was not to look at: another share's, or not named by `--function`."""
    mine = {subject.subject for subject in prepared.subjects}
    return [subject.subject for subject in prepared.project.subjects if subject.subject not in mine]


def _asked(outcomes: Sequence[Outcome], prepared: Prepared) -> Callable[[BaselineEntry], bool]:
    """Whether the run asked what an entry of a baseline is about.

    One of the whole project speaks of subjects that are gone, too, and so does the first of its shares.
    """
    request = prepared.request
    there = {subject.subject for subject in prepared.project.subjects} if request.shard else frozenset()
    speaks = not request.functions and (request.shard is None or request.shard[0] == 1)
    said = {(outcome.subject, outcome.gate): not outcome.unchanged_since for outcome in outcomes}
    return lambda entry: said.get((entry.subject, entry.gate), speaks and entry.subject not in there)


def epoch_of(bench: Bench) -> int:
    """For reports whose format demands a time (up to the year 9999); a project that nobody has committed yet is of today."""
    today = datetime.combine(bench.today, datetime.min.time(), UTC)
    return int(today.timestamp()) if bench.epoch is None else min(bench.epoch, LAST_SECOND)


def _with_zipped_sizes(examined: Examined) -> Iterator[Outcome]:
    """The outcomes, where the package gate's say of a large zip what only packing knows."""
    for outcome in examined.outcomes:
        archive = examined.archives.get(outcome.subject) if outcome.gate == "package" else None
        note = zipped_note(archive) if archive else None
        yield replace(outcome, notes=(*outcome.notes, note)) if note else outcome


def about_project(project: Project) -> tuple[Outcome, ...]:
    """What could not be read at the level of the project, as answers nobody could give."""
    return tuple(
        Outcome.unanswered("template", "project", f"{unresolved.location or project.template}: {unresolved.field}: {unresolved.reason}")
        for unresolved in project.unresolved
    )


def info_of(examined: Examined) -> AdvisoryInfo | None:
    """The advisories that were asked, where any were."""
    advisories = examined.advisories
    return None if advisories is None or isinstance(advisories, ShipsafeError) else advisories.info


def _named_rules(outcomes: Sequence[Outcome]) -> tuple[Rule, ...]:
    named = {finding.rule for outcome in outcomes for finding in outcome.findings}
    return tuple(rule for rule in all_rules() if rule.id in named)


def source_of(prepared: Prepared, out: Path) -> Source:
    """What a release says that it was made of."""
    policy = prepared.policy.path  # as it is known from what was named, which may lie below the project: `cdk.out`
    file = (prepared.request.folder / policy).resolve() if policy else None
    return Source(commit=head_commit(prepared.project.root), policy=relative(file, out.resolve()) if file else None)


def _released(examined: Examined, prepared: Prepared) -> list[Published]:
    """What goes into the output folder: each archive with its SBOM."""
    items = []
    digests: dict[str, str] = {}
    for subject in prepared.subjects:
        archive, sbom = examined.archives.get(subject.subject), examined.sboms.get(subject.subject)
        if archive is None:
            continue  # an image: there is nothing to pack
        inputs = examined.inputs.get(subject.subject, ())
        for path in inputs:
            if path not in digests:
                digests[path] = digest_of(prepared.project.root / path) or ""
        items.append(
            Published(
                name=subject.name,
                archive=archive,
                sbom=sbom.path if sbom else None,
                sbom_sha256=sbom.sha256 if sbom else "",
                told=told_of(subject, tuple((path, digests[path]) for path in inputs if digests[path])),
                prebuilt=subject.code.prebuilt or subject.code.kind is CodeKind.ZIP,
                location=subject.location,
            )
        )
    return items
