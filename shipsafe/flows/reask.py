"""The first step of `sign`: believe no handed-over verdict.

A build may have run on a machine that others can write to, so every gate is asked again that can be asked of the zips themselves, under
the policy of whoever signs and with the advisories of today. What a zip cannot show is taken from the builder as a claim, and the
result says whose attestation vouches for it.

    asked = reask(release, policy, today=..., offline=False, jobs=4, progress=..., timeline=...)
    asked.record.verdict     # PASS, FAIL or INCOMPLETE
    asked.claims             # what was taken from the builder

Asked of a zip are `dependencies`, `lint`, `package` and `layers`; `sbom` reads the SBOM that lies beside it, after every file and
distribution in it was compared with the zip. What only a build sees is not asked: whether the dependencies were locked, and links that
led out of the project.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from shipsafe.adapters.files import MEBIBYTE, disk_errors, read_bounded
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.reconcile import claims_of, read_sbom, reconcile
from shipsafe.flows.bench import Bench, open_bench
from shipsafe.flows.build import concluded, epoch_of, info_of
from shipsafe.flows.claims import claims_about
from shipsafe.flows.examine import examine
from shipsafe.flows.known import open_known
from shipsafe.flows.prepare import Prepared
from shipsafe.flows.request import Request
from shipsafe.gates import all_gates
from shipsafe.model.artifact import Artifact
from shipsafe.model.claims import UNATTESTED, Claim, SbomClaims
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, Project, Subject
from shipsafe.model.record import RunRecord
from shipsafe.model.tree import StagedTree
from shipsafe.model.verdict import Decision, Verdict, WaiverNews
from shipsafe.model.vex import VexNews
from shipsafe.packing.release import Release, ReleasedArtifact
from shipsafe.packing.released import take_released
from shipsafe.policy.vex import read_documents
from shipsafe.reports.live import Progress

_LARGEST_SBOM = 100 * MEBIBYTE
_UNATTESTED = (
    'No attestation says who built this, and the policy takes only attested builders ([sign] builder = "attested"): a zip, its SBOM and '
    "the manifest that were replaced together would pass unnoticed."
)
_BUILDER = "builder"  # what stands in the place of a gate where nobody vouches for the builder


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was found, who vouches for the builder, and what was taken from the builder."""

    record: RunRecord
    builder: str
    claims: tuple[Claim, ...]


def reask(
    release: Release, policy: Policy, *, today: date, offline: bool, jobs: int, progress: Progress, timeline: Timeline,
    vex: Sequence[Path] = (),
) -> Asked:  # fmt: skip
    """Ask every gate again that can be asked of the zips of a release.

    Args:
        release: the manifest, of which nothing is believed.
        policy: of whoever signs.
        today: the day on which waivers and dates are judged.
        offline: nothing is fetched.
        jobs: how many things are done at once.
        progress: is told how it goes on.
        timeline: takes down how long it took.
        vex: documents to read besides those that the policy names.

    Raises:
        IntegrityError: a zip or an SBOM is not what the manifest says, or the SBOM does not describe the zip.
        ConfigError: a VEX document or the baseline cannot be read.
        IncompleteError: the folder for temporary files cannot be written.
    """
    with disk_errors(Path("the folder for temporary files")), TemporaryDirectory(prefix="shipsafe-zips-") as root:
        prepared = _prepared(release, policy, Path(root), today=today, offline=offline, jobs=jobs, vex=vex)
        shelf = _Shelf(artifacts={one.subject: one for one in release.artifacts})
        with open_bench(prepared, progress, timeline) as bench:
            progress.start([one.subject for one in prepared.subjects], [gate.id for gate in all_gates()], packs=False)
            examined = examine(bench, prepared.subjects, shelf.take)
            bench.clear()
            outcomes = [*(_listed(one, shelf) for one in examined.outcomes), *_attested(policy)]
            record = concluded(
                prepared, outcomes, contents=examined.contents, advisories=info_of(examined), epoch=epoch_of(bench))  # fmt: skip
    verdict = _without_absences(record.verdict)
    record = replace(
        record,
        command="sign",
        project=release.document["project"],
        prefix="",
        template=release.document["template"],
        verdict=verdict,
        artifacts=tuple(_artifact(one) for one in release.artifacts) if verdict.decision is Decision.PASS else (),
    )
    return Asked(record=record, builder=UNATTESTED, claims=tuple(claims_about(release, shelf.told)))


def _prepared(
    release: Release, policy: Policy, root: Path, *, today: date, offline: bool, jobs: int, vex: Sequence[Path]
) -> Prepared:  # fmt: skip
    """The release as a project: in a folder where nothing lies that could lower a finding."""
    subjects = tuple(_subject(one) for one in release.artifacts)
    # Named one by one, because a release need not be the whole project.
    request = Request(path=root, today=today, functions=tuple(one.name for one in subjects), vex=tuple(vex), offline=offline, jobs=jobs)
    home = (release.policy or release.out).resolve().parent
    documents, statements = read_documents(policy, vex, root=home)
    return Prepared(
        request=request,
        policy=policy,
        project=Project(
            root=root,
            template=None,
            functions=tuple(one for one in subjects if isinstance(one, Function)),
            layers=tuple(one for one in subjects if isinstance(one, Layer)),
        ),
        subjects=subjects,
        documents=documents,
        statements=statements,
        known=open_known(request, policy, home),
    )


def _subject(artifact: ReleasedArtifact) -> Subject:
    """The function or layer, as the manifest says. What the manifest does not say is not known.

    Raises:
        IntegrityError: the manifest names it in two ways.
    """
    kind, _, name = artifact.subject.partition(":")
    if name != artifact.name or kind not in ("function", "layer"):
        what = f"The release manifest calls one artifact {artifact.name} and {artifact.subject}."
        raise IntegrityError(what, remedy="Build the release again.", path=str(artifact.path))
    told = artifact.told
    code = Code(kind=CodeKind.ZIP, path=artifact.path.name, prebuilt=artifact.prebuilt)
    if kind == "layer":
        return Layer(
            name=name,
            code=code,
            location=artifact.location,
            runtimes=told.runtimes,
            architectures=told.architectures,
            build_method=_built_for(artifact),
        )
    return Function(
        name=name,
        runtime=next(iter(told.runtimes), None),
        handler=told.handler,
        code=code,
        location=artifact.location,
        architectures=told.architectures,
        layers=told.layers,
    )


def _built_for(layer: ReleasedArtifact) -> str | None:
    """The Python that a layer was built for, which only its SBOM says: gates that look at Python are asked of it then.

    Raises:
        IntegrityError, IncompleteError: as `_Shelf.take`.
    """
    if layer.sbom is None:
        return None
    shown = str(layer.sbom)
    runtime = claims_of(read_sbom(_read(layer.sbom), sha256=layer.sbom_sha256, shown=shown), shown=shown).runtime or ""
    return runtime if runtime.startswith("python3.") else None


@dataclass(slots=True)
class _Shelf:
    """The zips of a release, and what their SBOMs said, by subject."""

    artifacts: Mapping[str, ReleasedArtifact]
    told: dict[str, SbomClaims] = field(default_factory=dict)

    def take(self, bench: Bench, subject: Subject, workspace: Path) -> StagedTree:
        """What lies in the zip of a subject, compared with the manifest and with its SBOM.

        Raises:
            IntegrityError: something is not what it is said to be.
            IncompleteError: something is not there, or the zip is one that is refused.
        """
        artifact = self.artifacts[subject.subject]
        if artifact.sbom is None:
            return take_released(artifact, subject, workspace, policy=bench.policy, claims=None)[0]
        shown = str(artifact.sbom)
        data = _read(artifact.sbom)
        document = read_sbom(data, sha256=artifact.sbom_sha256, shown=shown)
        told = self.told[subject.subject] = claims_of(document, shown=shown)
        tree, archive = take_released(artifact, subject, workspace, policy=bench.policy, claims=told)
        reconcile(document, subject, tree, archive, shown=shown)
        copy = workspace / "sbom.json"
        with disk_errors(copy):
            copy.write_bytes(data)
        return replace(tree, sbom=copy)


def _read(sbom: Path) -> bytes:
    """The bytes of an SBOM.

    Raises:
        IntegrityError: it is a link, no regular file, or too large.
        IncompleteError: it is not there.
    """
    if sbom.is_symlink():
        raise IntegrityError("It is a link.", remedy="Put the SBOM itself there.", path=str(sbom))
    if not sbom.exists():
        raise IncompleteError("The SBOM is not there.", remedy="Bring along what the build left, whole.", path=str(sbom))
    try:
        return read_bounded(sbom, limit=_LARGEST_SBOM)
    except ConfigError as error:
        raise IntegrityError(error.what, remedy=error.remedy, path=error.path) from error


def _listed(outcome: Outcome, shelf: _Shelf) -> Outcome:
    """The same, but that a zip whose SBOM was not handed over has not been compared with one."""
    artifact = shelf.artifacts.get(outcome.subject)
    if outcome.gate != "sbom" or not outcome.looked or artifact is None or artifact.sbom is not None or "format" not in outcome.evidence:
        return outcome
    name = artifact.name
    way = f"Build it with `shipsafe build --prebuilt {name}=ZIP`, or name the zip itself: `shipsafe sign {artifact.path.name}`"
    return Outcome.unanswered("sbom", outcome.subject, f"The release has no SBOM of {name} that its files could be compared with. {way}.")


def _attested(policy: Policy) -> Iterator[Outcome]:
    """What a policy asks for that takes only attested builds."""
    if policy.sign.attested_builder:
        yield Outcome.unanswered(_BUILDER, "project", _UNATTESTED)


def _without_absences(verdict: Verdict) -> Verdict:
    """Without remarks about what was not found: it may be what only a build sees."""
    return replace(
        verdict,
        waiver_notes=tuple(note for note in verdict.waiver_notes if note.news is not WaiverNews.UNUSED),
        vex_notes=tuple(note for note in verdict.vex_notes if note.news is not VexNews.UNMATCHED),
        vanished=(),
    )


def _artifact(artifact: ReleasedArtifact) -> Artifact:
    return Artifact(
        name=artifact.name,
        subject=artifact.subject,
        path=artifact.path.name,
        sha256=artifact.sha256,
        code_sha256=artifact.code_sha256,
        content_digest=artifact.content_digest,
        size=artifact.size,
        sbom=artifact.sbom.name if artifact.sbom else "",
        sbom_sha256=artifact.sbom_sha256,
    )
