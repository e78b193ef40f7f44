"""Zips that another tool built and that no release names, taken by their path: by SAM, CDK, Terraform, Serverless, or by hand.

    shipsafe sign build/pay.zip --runtime python3.13 --architecture arm64 --handler app.handler
    shipsafe sign build/pay.zip --template template.yaml --function Pay

Every gate is asked, as of any package that another tool built. What passes becomes a release: the zip with the bytes that it had, an
SBOM that is made of it, evidence that says that its builder is not known, and the manifest; from then on it is signed like one that
shipsafe has built. What neither the command line nor
the template says is not known, and is not guessed from the files: the rules that need it are unanswered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.files import relative
from shipsafe.errors import ConfigError
from shipsafe.evidence.provenance import UNKNOWN, SourceTree
from shipsafe.flows.ask import Case
from shipsafe.flows.attest import attested
from shipsafe.flows.bench import Bench
from shipsafe.flows.examine import Hands
from shipsafe.flows.zips import Answers, Asked, Terms, asked_about, refuse_signed
from shipsafe.gates import all_gates
from shipsafe.model.artifact import Archive
from shipsafe.model.claims import Claim
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, Subject, Unresolved, unsaid
from shipsafe.model.record import RunRecord
from shipsafe.model.tree import StagedTree
from shipsafe.model.verdict import Decision
from shipsafe.packing.handed_over import Zipped, known_tree, take_zip
from shipsafe.packing.manifest import Source, told_of
from shipsafe.packing.output import Output
from shipsafe.packing.publish import MANIFEST, Published, check_names, publish
from shipsafe.packing.release import Release, ReleasedArtifact, read_release
from shipsafe.packing.runtimes import MACHINES, is_a_name
from shipsafe.readers import read_project

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

_COMMAND_LINE = "the command line"
_TEMPLATE = "--template FILE --function ID"
_PYTHON = frozenset(gate.id for gate in all_gates() if gate.python_only)
_OTHER_FOLDER = "Choose another folder with --out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """Zips, and what is said of them.

    Attributes:
        zips: their paths.
        runtimes: of a function the one that it has; of a layer those that it is compatible with. Empty where nobody says so.
        architectures: likewise.
        handler: of a function, or None.
        layer: the zips are layers.
        template: a template that describes the zip, and `function` the function or layer of it that the zip is.
        overrides: parameters of the template.
        policy_file: where the policy lies that they are asked under, or None.
    """

    zips: tuple[Path, ...]
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    handler: str | None = None
    layer: bool = False
    template: Path | None = None
    function: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    policy_file: Path | None = None


def bare_release(bare: Bare, output: Output, terms: Terms, signers: "Sequence[Signer]" = ()) -> tuple[Release | None, Asked]:
    """Ask every gate about zips, and make a release of them in the output folder if they pass. Called under `output_lock`.

    `signers` sign what is stated about them. Gives the release, None where they did not pass, and what was found.

    Raises:
        ConfigError: the options contradict each other, two zips have one name, or the folder holds another release.
        NothingError: the template describes no function and no layer.
        IntegrityError: a zip is a link, or no regular file.
        IncompleteError: the output folder, or the folder for temporary files, cannot be written.
    """
    _check(bare)
    subjects = _described(bare, terms.policy) if bare.template else [_named(path, bare) for path in bare.zips]
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


def _check(bare: Bare) -> None:
    """Whether the options make sense together."""
    wrong = remedy = ""
    if not bare.zips:
        wrong, remedy = "No zip is named.", "Name one."
    elif bare.template is None and bare.function is not None:
        wrong, remedy = "--function names a function of a template.", "Name the template with --template."
    elif bare.template is not None and (bare.runtimes or bare.architectures or bare.handler or bare.layer):
        wrong, remedy = "The template says what a function runs on.", "Leave out --runtime, --architecture, --handler and --layer."
    elif bare.template is not None and len(bare.zips) > 1:
        wrong, remedy = "One function of a template has one zip.", "Sign the zips one after the other, each into a folder of its own."
    elif bare.layer and bare.handler:
        wrong, remedy = "A layer has no handler.", "Leave out --layer or --handler."
    elif not bare.layer and max(len(bare.runtimes), len(bare.architectures)) > 1:
        wrong, remedy = "A function has one runtime and one architecture.", "Name one of each, or add --layer."
    elif missing := next((path for path in bare.zips if not path.is_file()), None):
        wrong, remedy = f"{missing} is no file.", "Name a zip."
    if wrong:
        raise ConfigError(wrong, remedy=remedy)
    _check_names_of_lambda(bare)


def _check_names_of_lambda(bare: Bare) -> None:
    """Whether Lambda has such runtimes and architectures."""
    for one in bare.runtimes:
        if not is_a_name(one):
            raise ConfigError(f"{one[:40]!r} is not a runtime of Lambda.", remedy="Write it as Lambda does: python3.13, for example.")
    for one in bare.architectures:
        if one not in MACHINES:
            raise ConfigError(f"{one[:40]!r} is not an architecture of Lambda.", remedy="Use x86_64 or arm64.")


def _named(path: Path, bare: Bare) -> Subject:
    """A function or layer as the command line describes it; what it does not say is unresolved."""
    name = _stem(path)
    place = Location(path=path.name)
    code = Code(kind=CodeKind.ZIP, path=path.name, prebuilt=True)
    if bare.layer:
        return Layer(
            name=name, code=code, location=place, runtimes=bare.runtimes, architectures=bare.architectures,
            unresolved=tuple(_unsaid(("runtimes", bare.runtimes, "--runtime, once for each that it is compatible with"),
                                     ("architectures", bare.architectures, "--architecture"))))  # fmt: skip
    return Function(
        name=name, runtime=next(iter(bare.runtimes), None), handler=bare.handler, code=code, location=place,
        architectures=bare.architectures,
        unresolved=tuple(_unsaid(("runtime", bare.runtimes, "--runtime, such as python3.13"),
                                 ("architectures", bare.architectures, "--architecture, x86_64 or arm64"),
                                 ("handler", bare.handler, "--handler, such as app.handler"))))  # fmt: skip


def _stem(path: Path) -> str:
    return path.stem if path.suffix.lower() in (".zip", ".jar") else path.name


def _unsaid(*fields: tuple[str, object, str]) -> Iterator[Unresolved]:
    """What the command line leaves open, with the option that says it."""
    for name, value, option in fields:
        if not value:
            yield Unresolved(field=name, reason="nothing says it", remedy=f"Give {option}, or --template and --function.")


def _described(bare: Bare, policy: Policy) -> list[Subject]:
    """The function or layer of a template whose zip this is."""
    assert bare.template is not None  # noqa: S101 - the caller has looked
    project = read_project(bare.template, policy=policy, overrides=bare.overrides)
    stem = _stem(bare.zips[0])
    wanted = bare.function or (stem if any(one.name == stem for one in project.subjects) else None)
    found = [one for one in project.subjects if one.name == wanted] or (list(project.functions) if wanted is None else [])
    if len(found) != 1:
        names = ", ".join(one.name for one in project.subjects) or "none"
        what = f"There is no function and no layer {wanted!r} in it." if wanted else "It does not say which function the zip is."
        raise ConfigError(what, remedy=f"Name one with --function; there are: {names}.", path=str(bare.template))
    if found[0].code.kind is CodeKind.IMAGE:
        raise ConfigError(f"{found[0].name} is a container image, which has no zip.", remedy="Name another function.",
                          path=str(bare.template))  # fmt: skip
    code = Code(kind=CodeKind.ZIP, path=bare.zips[0].name, prebuilt=True)
    unresolved = tuple(one for one in found[0].unresolved if one.field != "code")
    return [replace(found[0], code=code, unresolved=unresolved, requirements=None)]


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
