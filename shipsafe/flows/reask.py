"""The first step of `sign`: believe no handed-over verdict.

A build may have run on a machine that others can write to, so every gate is asked again that can be asked of the zips themselves, under
the policy of whoever signs and with the advisories of today. What a zip cannot show is taken from the builder as a claim, and the
result says whose attestation vouches for it: the builder's word is looked at first (`flows/vouching.py`).

    asked = reask(release, policy, today=..., offline=False, jobs=4, progress=..., timeline=...)
    asked.record.verdict     # PASS, FAIL or INCOMPLETE
    asked.claims             # what was taken from the builder

Asked of a zip are `dependencies`, `lint`, `package` and `layers`; `sbom` reads the SBOM that lies beside it, after every file and
distribution in it was compared with the zip. What only a build sees is not asked: whether the dependencies were locked, and links that
led out of the project.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path

from shipsafe.adapters.files import MEBIBYTE, disk_errors, read_bounded
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.reconcile import claims_of, read_sbom, reconcile
from shipsafe.flows.agreed import told_in, unlooked_at
from shipsafe.flows.bench import Bench
from shipsafe.flows.claims import claims_about
from shipsafe.flows.examine import Hands
from shipsafe.flows.vouching import Words, builder_words, check_stated, who_built
from shipsafe.flows.zips import Asked, Terms, asked_about, refuse_signed
from shipsafe.judge import overridden
from shipsafe.model.artifact import Artifact
from shipsafe.model.claims import SbomClaims
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.override import Override
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, Subject, Unresolved
from shipsafe.model.tree import StagedTree
from shipsafe.packing.handed_over import Zipped, known_tree, take_zip
from shipsafe.packing.release import Release, ReleasedArtifact
from shipsafe.reports.live import Progress

__all__ = ["Asked", "reask"]

_PYTHON = (".py", ".pyc")
_LARGEST_SBOM = 48 * MEBIBYTE  # of the 50,000 files that a build takes; parsed it has ten times its bytes


def reask(
    release: Release, policy: Policy, *, today: date, offline: bool, jobs: int, progress: Progress, timeline: Timeline,
    vex: Sequence[Path] = (), override: Override | None = None, also: tuple[Outcome, ...] = (),
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
        also: what was answered about the project as a whole.
        override: under which the release goes on, or None. What was built under one is never PASS here, whatever is found.

    Raises:
        IntegrityError: a zip or an SBOM is not what the manifest says, the SBOM does not describe the zip, or what the builder states
            does not hold.
        ConfigError: a VEX document or the baseline cannot be read.
        IncompleteError: the folder for temporary files cannot be written.
    """
    home = (release.policy or release.out).resolve().parent
    terms = Terms(policy=policy, today=today, home=home, offline=offline, jobs=jobs, progress=progress, timeline=timeline, vex=tuple(vex),
                  also=also)  # fmt: skip
    words = builder_words(release, policy, today=today)
    shelf = _Shelf(artifacts={one.subject: one for one in release.artifacts}, words=words)
    subjects = [_subject(one) for one in release.artifacts]
    with asked_about(subjects, Hands(take=shelf.take), terms, reworded=partial(_compared, shelf)) as answers:
        record = answers.record(project=release.document["project"], template=release.document["template"])
    if override is not None:
        record = replace(record, verdict=overridden(record.verdict, override, policy))
    if record.verdict.passes:
        record = replace(record, artifacts=tuple(_artifact(one) for one in release.artifacts))
    claims = tuple(claims_about(release, shelf.told, words))
    remarks = tuple(unlooked_at(dict(sorted(shelf.python.items())), told_in(release.artifacts), claims))
    vouched_by = {subject: word.by for subject, word in words.items()}
    return Asked(record=record, builder=who_built(words.values()), claims=claims, remarks=remarks, vouched_by=vouched_by)


def _subject(artifact: ReleasedArtifact) -> Subject:
    """The function or layer, as the manifest says. What the manifest does not say is not known.

    Raises:
        IntegrityError: the manifest names it in two ways, or a function runs on several things.
    """
    kind, _, name = artifact.subject.partition(":")
    if name != artifact.name or kind not in ("function", "layer"):
        what = f"The release manifest calls one artifact {artifact.name} and {artifact.subject}."
        raise IntegrityError(what, remedy="Build the release again.", path=str(artifact.path))
    told = artifact.told
    if kind == "function" and len(told.runtimes) > 1:
        what = f"The release manifest names {len(told.runtimes)} runtimes for {artifact.name}, and a function has one."
        raise IntegrityError(what, remedy="Build the release again.", path=str(artifact.path))
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
        unresolved=tuple(
            Unresolved(field=name, reason="the release manifest does not say it", remedy="Build the release again.")
            for name, said in (("runtime", told.runtimes), ("architectures", told.architectures))
            if not said
        ),
    )


def _built_for(layer: ReleasedArtifact) -> str | None:
    """The Python that a layer was built for, which only its SBOM says: gates that look at Python are asked of it then.

    Raises:
        IntegrityError: as `_Shelf.take`.
    """
    if layer.sbom is None or not layer.sbom.exists():  # `_Shelf.take` says that it is not there
        return None
    shown = str(layer.sbom)
    runtime = claims_of(read_sbom(_read(layer.sbom), sha256=layer.sbom_sha256, shown=shown), shown=shown).runtime or ""
    return runtime if runtime.startswith("python3.") else None


@dataclass(slots=True)
class _Shelf:
    """The zips of a release, the builder's word on them, what their SBOMs said, and the Python in those that are said to be none.

    All by subject.
    """

    artifacts: Mapping[str, ReleasedArtifact]
    words: Words
    told: dict[str, SbomClaims] = field(default_factory=dict)
    python: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def take(self, bench: Bench, subject: Subject, workspace: Path) -> StagedTree:
        """What lies in the zip of a subject, compared with the manifest and with its SBOM.

        Raises:
            IntegrityError: something is not what it is said to be.
            IncompleteError: something is not there, or the zip is one that is refused.
        """
        tree = self._taken(bench, subject, workspace)
        if not subject.is_python and (python := tuple(one.path for one in tree.entries if one.path.casefold().endswith(_PYTHON))):
            self.python[subject.subject] = python
        return tree

    def _taken(self, bench: Bench, subject: Subject, workspace: Path) -> StagedTree:
        artifact = self.artifacts[subject.subject]
        if artifact.sbom is None:
            return self._looked_into(artifact, subject, workspace, bench.policy, None)[1]
        shown = str(artifact.sbom)
        data = _read(artifact.sbom)
        document = read_sbom(data, sha256=artifact.sbom_sha256, shown=shown)
        check_stated(self.words[subject.subject], document, shown=shown)
        told = self.told[subject.subject] = claims_of(document, shown=shown)
        zipped, tree = self._looked_into(artifact, subject, workspace, bench.policy, told)
        reconcile(document, subject, tree, zipped.archive(subject.subject), shown=shown)
        copy = workspace / "sbom.json"
        with disk_errors(copy):
            copy.write_bytes(data)
        return replace(tree, sbom=copy)

    @staticmethod
    def _looked_into(
        artifact: ReleasedArtifact, subject: Subject, workspace: Path, policy: Policy, told: SbomClaims | None
    ) -> tuple[Zipped, StagedTree]:  # fmt: skip
        shown = str(artifact.path)
        zipped = take_zip(artifact.path, workspace / "package.zip", workspace / "tree", shown=shown, stated=artifact)
        zipped.copy.unlink()
        locks = tuple(path for path, _ in artifact.told.locks)
        tree = known_tree(zipped, subject, policy=policy, claims=told, inputs=locks)
        refuse_signed(tree, shown=shown)
        return zipped, tree


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


def _compared(shelf: _Shelf, outcome: Outcome) -> Outcome:
    """The same, but that a zip whose SBOM was not handed over has not been compared with one."""
    artifact = shelf.artifacts[outcome.subject]
    if outcome.gate != "sbom" or outcome.state is not State.ANSWERED or artifact.sbom is not None:
        return outcome
    reason = (
        f"The release has no SBOM of {artifact.name}, so that its files could be compared with nothing. Build it with `shipsafe build "
        f"--prebuilt {artifact.name}=ZIP`, which makes one."
    )
    return Outcome.unanswered("sbom", outcome.subject, reason)


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
        evidence=artifact.evidence.name if artifact.evidence else "",
        evidence_sha256=artifact.evidence_sha256,
    )
