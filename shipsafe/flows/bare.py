"""Zips that another tool built and that no release names, taken by their path: by SAM, CDK, Terraform, Serverless, or by hand.

    shipsafe sign build/pay.zip --runtime python3.13 --architecture arm64 --handler app.handler
    shipsafe sign build/pay.zip --template template.yaml --function Pay

Every gate is asked, as of any package that another tool built. What passes becomes a release: the zip with the bytes that it had, an
SBOM that is made of it, evidence that says that its builder is not known, and the manifest; from then on it is signed like one that
shipsafe has built. What neither the command line nor
the template says is not known, and is not guessed from the files: the rules that need it are unanswered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.files import relative
from shipsafe.errors import ConfigError
from shipsafe.evidence.provenance import UNKNOWN, SourceTree
from shipsafe.flows.ask import Case
from shipsafe.flows.attest import attested
from shipsafe.flows.bare_said import Bare, subjects_of
from shipsafe.flows.bench import Bench
from shipsafe.flows.examine import Hands
from shipsafe.flows.zips import Answers, Asked, Terms, asked_about, refuse_signed
from shipsafe.gates import subject_gates
from shipsafe.model.artifact import Archive
from shipsafe.model.claims import Claim
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, Subject, unsaid
from shipsafe.model.record import RunRecord
from shipsafe.model.tree import StagedTree
from shipsafe.model.verdict import Decision
from shipsafe.packing.handed_over import Zipped, known_tree, take_zip
from shipsafe.packing.manifest import Source, told_of
from shipsafe.packing.output import Output
from shipsafe.packing.publish import MANIFEST, Published, check_names, publish
from shipsafe.packing.release import Release, ReleasedArtifact, read_release

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_COMMAND_LINE = "the command line"
_TEMPLATE = "--template FILE --function ID"
_PYTHON = frozenset(gate.id for gate in subject_gates() if gate.python_only)
_OTHER_FOLDER = "Choose another folder with --out."


def bare_release(bare: Bare, output: Output, terms: Terms, signers: "Sequence[Signer]" = ()) -> tuple[Release | None, Asked]:
    """Ask every gate about zips, and make a release of them in the output folder if they pass. Called under `output_lock`.

    `signers` sign what is stated about them. Gives the release, None where they did not pass, and what was found.

    Raises:
        ConfigError: the options contradict each other, two zips have one name, or the folder holds another release.
        NothingError: the template describes no function and no layer.
        IntegrityError: a zip is a link, or no regular file.
        IncompleteError: the output folder, or the folder for temporary files, cannot be written.
    """
    subjects = subjects_of(bare, terms.policy)
    check_names([one.name for one in subjects])
    said_by = relative(bare.template.resolve(), terms.home) if bare.template else _COMMAND_LINE
    shelf = _Shelf(
        output=output,
        paths={one.subject: path for one, path in zip(subjects, bare.zips, strict=True)},
        subjects={one.subject: one for one in subjects},
        described=bare.template is not None,
    )
    there = _there(output, bare, subjects)
    try:
        with asked_about(subjects, Hands(take=shelf.take, pack=shelf.pack), terms, output=output, reworded=shelf.reworded) as answers:
            shown = bare.zips[0].resolve().parent.name or "zips"
            record = answers.record(project=shown, template=said_by if bare.template else None)
            if record.verdict.decision is Decision.PASS:
                record, there = _released(answers, subjects, record, bare, output, there, terms.policy, signers)
            else:
                there = None
    finally:
        output.tidy()
    return there, Asked(record=record, claims=tuple(_claims(subjects, said_by)))


@dataclass(slots=True)
class _Shelf:
    """The zips, by subject: where they lie, and what was found in them."""

    output: Output
    paths: Mapping[str, Path]
    subjects: Mapping[str, Subject]
    described: bool
    zips: dict[str, Zipped] = field(default_factory=dict)

    def take(self, bench: Bench, subject: Subject, workspace: Path) -> StagedTree:
        """What lies in a zip. Its copy goes where a release will want it.

        Raises:
            IntegrityError, IncompleteError: as `take_zip`; or it is signed already.
        """
        path = self.paths[subject.subject]
        copy = self.output.workplace(subject.subject) / "package.zip"
        copy.unlink(missing_ok=True)
        zipped = self.zips[subject.subject] = take_zip(path.resolve(), copy, workspace / "tree", shown=str(path))
        self.output.remember(copy, zipped.sha256)
        tree = known_tree(zipped, subject, policy=bench.policy)
        refuse_signed(tree, shown=str(path))
        return tree

    def pack(self, _bench: Bench, _output: Output, case: Case, _tree: StagedTree) -> Archive:
        """Nothing is packed: the zip is what it is."""
        return self.zips[case.subject.subject].archive(case.subject.subject)

    def reworded(self, outcome: Outcome) -> Outcome:
        """What a gate takes for "does not apply" or for "none", and is "not said": a runtime, and layers."""
        subject = self.subjects[outcome.subject]
        if (
            outcome.gate in _PYTHON
            and outcome.state is State.NOT_ASKED
            and (why := unsaid(subject, "runtime") or unsaid(subject, "runtimes"))
        ):
            return Outcome.unanswered(outcome.gate, outcome.subject, why)
        if outcome.gate == "layers" and isinstance(subject, Function) and not self.described:
            reason = f"A zip says nothing of the layers that its function uses. {_TEMPLATE} has them asked."
            return Outcome.not_asked(outcome.gate, outcome.subject, reason)
        return outcome


def _there(output: Output, bare: Bare, subjects: Sequence[Subject]) -> Release | None:
    """The release that the folder holds, if it is one of these zips.

    Raises:
        ConfigError: it is another, or one of the zips is part of it.
    """
    if not (output.out / MANIFEST).exists():
        return None
    release = read_release(output.out)
    for path in bare.zips:
        if any(path.resolve() == one.path.resolve() for one in release.artifacts):
            raise ConfigError("This zip is part of the release beside it.", remedy=f"Sign the release: shipsafe sign {output.out}.",
                              path=str(path))  # fmt: skip
    names = [one.name for one in release.artifacts]
    if set(names) != {one.name for one in subjects} or not all(one.prebuilt for one in release.artifacts):
        listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")  # noqa: PLR2004 - as many as a line takes
        raise ConfigError(f"The folder holds another release: {listed}.", remedy=_OTHER_FOLDER, path=str(output.out))
    return release


def _released(
    answers: Answers, subjects: Sequence[Subject], record: RunRecord, bare: Bare, output: Output, there: Release | None, held: Policy,
    signers: "Sequence[Signer]",
) -> tuple[RunRecord, Release]:  # fmt: skip
    """The record and the release of what passed. One that lies there with the same zips stays, with its signatures."""
    items = []
    for subject in subjects:
        sbom = answers.examined.sboms.get(subject.subject)
        items.append(
            Published(
                name=subject.name,
                archive=answers.examined.archives[subject.subject],
                sbom=sbom.path if sbom else None,
                sbom_sha256=sbom.sha256 if sbom else "",
                told=told_of(subject),
                prebuilt=True,
                location=subject.location,
            )
        )
    if there is not None and sorted(map(_identity, there.artifacts)) == sorted(map(_published, items)):
        return record, there
    policy = relative(bare.policy_file.resolve(), output.out.resolve()) if bare.policy_file else None
    stated, record = attested(output, items, record, held, SourceTree(), signers, builder=UNKNOWN)
    record = publish(output, stated, record, Source(policy=policy))
    return record, read_release(output.out)


def _identity(artifact: ReleasedArtifact) -> tuple[str, ...]:
    told = artifact.told
    return (artifact.subject, artifact.sha256, artifact.sbom_sha256, told.handler or "", *told.runtimes, *told.architectures)


def _published(item: Published) -> tuple[str, ...]:
    told = item.told
    return (item.archive.subject, item.archive.sha256, item.sbom_sha256, told.handler or "", *told.runtimes, *told.architectures)


def _claims(subjects: Sequence[Subject], said_by: str) -> Iterator[Claim]:
    """What no zip shows: who built it, and what it runs on."""
    for one in subjects:
        told = told_of(one)
        yield Claim(subject=one.subject, name="built-by", value="another tool")
        yield Claim(subject=one.subject, name="runtime", value=", ".join(told.runtimes) or None, vouched_by=said_by)
        if isinstance(one, Function):
            yield Claim(subject=one.subject, name="handler", value=told.handler, vouched_by=said_by)
        yield Claim(subject=one.subject, name="architecture", value=", ".join(told.architectures) or None, vouched_by=said_by)
        if told.layers:
            yield Claim(subject=one.subject, name="layers", value=", ".join(ref.arn or ref.text for ref in told.layers), vouched_by=said_by)
