"""The straight line of `check` and `build`: policy, project, outcomes, verdict, artifacts, record."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from shipsafe.adapters.cache import open_cache
from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.git import repository_prefix, source_date_epoch
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.advisories import open_advisories
from shipsafe.errors import ConfigError, NothingError, ShipsafeError
from shipsafe.flows.answers import asking_part, tools
from shipsafe.flows.bench import Bench
from shipsafe.flows.examine import Examined, examine
from shipsafe.flows.known import given, open_known
from shipsafe.flows.request import Request
from shipsafe.gates import all_gates, all_rules
from shipsafe.gates.package import zipped_note
from shipsafe.judge import judge
from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.finding import Rule
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.project import CodeKind, Function, Project, Subject
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision
from shipsafe.packing.archive import compressor
from shipsafe.packing.members import open_members
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import Published, check_names, publish, repair
from shipsafe.packing.sets import Sets
from shipsafe.policy import load
from shipsafe.policy.vex import bound, read_documents
from shipsafe.readers import read_project
from shipsafe.reports.live import Progress

_LAST_SECOND = 253_402_300_799  # of the year 9999, the last that a date can name


def build(request: Request, progress: Progress) -> RunRecord:
    """Do what was asked, and give the record of it. Only a passing `build` changes anything outside the cache.

    Raises:
        ConfigError: the command line, the policy or the template cannot be used.
        NothingError: there is no function to examine.
        IncompleteError: the output folder cannot be written.
        IntegrityError: bytes changed while they were looked at.
    """
    if not request.path.exists():
        raise ConfigError("There is no such file or folder.", remedy="Name the project's folder or its template.",
                          path=str(request.path))  # fmt: skip
    folder = request.path if request.path.is_dir() else request.path.parent
    cache = cache_dir()
    policy = load(
        folder.resolve(),
        explicit=request.policy,
        offline=request.offline,
        cache=cache,
        fetch=fetch,
        today=request.today,
        given=given(request),
    )
    project = _project(request, policy)
    documents, statements = read_documents(policy, request.vex, root=project.root)
    known = open_known(request, policy, project.root)
    subjects = _select(project, request.functions)
    check_names([subject.name for subject in subjects])
    with ExitStack() as stack:
        output = None
        if request.out is not None:
            stack.enter_context(output_lock(request.out, on_wait=lambda: progress.say(_waiting(request.out))))
            output = Output(request.out)
            repair(output)
            stack.callback(output.tidy)
        folder_of_run = Path(stack.enter_context(_private_folder()))
        answers = open_cache(cache)
        stack.callback(answers.close)
        stack.callback(answers.flush)
        members = open_members(cache, compressor())
        stack.callback(members.close)
        bench = Bench(
            project=project,
            policy=policy,
            asking=asking_part(policy),
            today=request.today,
            epoch=source_date_epoch(project.root),
            folder=folder_of_run,
            output=output,
            answers=answers,
            sets=Sets(folder_of_run / "sets", answers),
            members=members,
            offline=request.offline,
            jobs=request.jobs,
            check_reproducible=request.check_reproducible,
            progress=progress,
            open_advisories=lambda: open_advisories(
                policy.advisories,
                cache=cache,
                offline=request.offline,
                today=request.today,
                now=lambda: datetime.now(UTC),
                say=progress.say,
            ),
        )
        progress.start([subject.subject for subject in subjects], [gate.id for gate in all_gates()], packs=output is not None)
        examined = examine(bench, subjects)
        if request.check_reproducible and output is not None:
            progress.say("Every archive was packed a second time, in other circumstances, with the same bytes.")
        outcomes = (*_with_zipped_sizes(examined), *_about_project(project))
        judged = known.judged(
            partial(judge, policy, outcomes, request.today, statements=bound(statements, examined.contents)),
            asked=[subject.subject for subject in subjects] if request.functions else None,
        )
        verdict = judged.verdict
        record = RunRecord(
            command=request.command,
            project=project.root.name,
            prefix=repository_prefix(project.root),
            template=project.template,
            policy=policy.path,
            policy_digest=policy.digest,
            verdict=verdict,
            advisories=_info(examined),
            tools=tools(),
            outcomes=outcomes,
            modes={gate.id: str(policy.gate(gate.id).mode_on(request.today)) for gate in all_gates()},
            rules=_named_rules(outcomes),
            hints=(*project.hints, *judged.remarks),
            vex=documents,
            baseline=judged.baseline,
            overrides=policy.overrides,
            epoch=_epoch(bench),
        )
        if output is not None and verdict.decision is Decision.PASS:
            with bench.timeline.leg("publish"):
                record = publish(output, _released(examined, subjects), record)
        return record


def _epoch(bench: Bench) -> int:
    """For reports whose format demands a time (up to the year 9999); a project that nobody has committed yet is of today."""
    today = datetime.combine(bench.today, datetime.min.time(), UTC)
    return int(today.timestamp()) if bench.epoch is None else min(bench.epoch, _LAST_SECOND)


def _project(request: Request, policy: Policy) -> Project:
    """The project, with what another tool staged in the place of its code."""

    def read() -> Project:
        return read_project(request.path, policy=policy, overrides=request.overrides)

    if not request.prebuilt:
        return read()
    from shipsafe.readers.prebuilt import read_prebuilt  # noqa: PLC0415 - only for --prebuilt

    return read_prebuilt(request.path, request.prebuilt, policy=policy, overrides=request.overrides, read=read)


def _private_folder() -> "TemporaryDirectory[str]":
    """A folder that only we can read and that is gone when the run ends, however it ends."""
    with disk_errors(Path("the folder for temporary files")):
        return TemporaryDirectory(prefix="shipsafe-", ignore_cleanup_errors=True)


def _waiting(out: Path | None) -> str:
    return f"Another shipsafe is building into {out}; waiting for it to end."


def _select(project: Project, names: Sequence[str]) -> tuple[Subject, ...]:
    """The subjects to examine: all, or the named functions with the layers of this project that they use."""
    if not project.subjects:
        raise NothingError(
            "There is no Lambda function and no layer in this project.",
            remedy="Name another folder or template, or add [[functions]] to shipsafe.toml.",
            path=project.template,
        )
    if not names:
        return project.subjects
    known = {function.name: function for function in project.functions}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known)) or 'none'}."
            raise ConfigError(f"There is no function {name!r} in this project.", remedy=hint, path=project.template)
    functions = tuple(function for function in project.functions if function.name in names)
    used = {ref.local for function in functions for ref in function.layers if ref.local}
    return (*functions, *(layer for layer in project.layers if layer.name in used))


def _with_zipped_sizes(examined: Examined) -> Iterator[Outcome]:
    """The outcomes, where the package gate's say of a large zip what only packing knows."""
    for outcome in examined.outcomes:
        archive = examined.archives.get(outcome.subject) if outcome.gate == "package" else None
        note = zipped_note(archive) if archive else None
        yield replace(outcome, notes=(*outcome.notes, note)) if note else outcome


def _about_project(project: Project) -> tuple[Outcome, ...]:
    """What could not be read at the level of the project, as answers nobody could give."""
    return tuple(
        Outcome.unanswered("template", "project", f"{unresolved.location or project.template}: {unresolved.field}: {unresolved.reason}")
        for unresolved in project.unresolved
    )


def _info(examined: Examined) -> AdvisoryInfo | None:
    advisories = examined.advisories
    return None if advisories is None or isinstance(advisories, ShipsafeError) else advisories.info


def _named_rules(outcomes: Sequence[Outcome]) -> tuple[Rule, ...]:
    named = {finding.rule for outcome in outcomes for finding in outcome.findings}
    return tuple(rule for rule in all_rules() if rule.id in named)


def _released(examined: Examined, subjects: Sequence[Subject]) -> list[Published]:
    """What goes into the output folder: each archive with its SBOM."""
    items = []
    for subject in subjects:
        archive, sbom = examined.archives.get(subject.subject), examined.sboms.get(subject.subject)
        if archive is None:
            continue  # an image: there is nothing to pack
        items.append(
            Published(
                name=subject.name,
                archive=archive,
                sbom=sbom.path if sbom else None,
                sbom_sha256=sbom.sha256 if sbom else "",
                layers=subject.layers if isinstance(subject, Function) else (),
                prebuilt=subject.code.prebuilt or subject.code.kind is CodeKind.ZIP,
                location=subject.location,
            )
        )
    return items
