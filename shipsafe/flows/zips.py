"""Ask every gate about zips that somebody handed over, and judge: what `sign` does with a release, and with a zip by its path.

The zips stand in a project of their own, in a folder where nothing else lies: no file of the machine that asks can lower a finding.
"""

import shutil
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import IncompleteError
from shipsafe.flows.ask import Case
from shipsafe.flows.bench import Bench, open_bench
from shipsafe.flows.build import concluded, epoch_of, info_of
from shipsafe.flows.examine import Examined, Hands, examine
from shipsafe.flows.known import open_known
from shipsafe.flows.prepare import Prepared
from shipsafe.flows.request import Request
from shipsafe.gates import subject_gates
from shipsafe.model.claims import UNATTESTED, Claim
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.project import PROJECT, Function, Layer, Project, Subject
from shipsafe.model.record import RunRecord
from shipsafe.model.tree import StagedTree
from shipsafe.model.verdict import Verdict, WaiverNews
from shipsafe.model.vex import VexNews
from shipsafe.packing.output import Output
from shipsafe.policy.vex import read_documents
from shipsafe.reports.live import Progress
from shipsafe.signing.layout import ENTRY

Reworded = Callable[[Outcome], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was found, who vouches for the builder, what was taken from the builder, and what else a person should know.

    `vouched_by`: names of the trusted keys that vouch for the builder's word, by subject.
    """

    record: RunRecord
    builder: str = UNATTESTED
    claims: tuple[Claim, ...] = ()
    remarks: tuple[str, ...] = ()
    vouched_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the gates are asked.

    Attributes:
        policy: of whoever signs.
        today: the day on which waivers and dates are judged.
        home: the folder that names of documents are relative to.
        offline: nothing is fetched.
        jobs: how many things are done at once.
        progress, timeline: are told how it goes on, and how long it took.
        vex: documents to read besides those that the policy names.
        also: what was answered about the project as a whole, which is judged beside what the gates say.
    """

    policy: Policy
    today: date
    home: Path
    offline: bool
    jobs: int
    progress: Progress
    timeline: Timeline
    vex: tuple[Path, ...] = ()
    also: tuple[Outcome, ...] = ()


@dataclass(slots=True)
class Answers:
    """What came of it: the outcomes as they are judged, and what was packed and written beside them."""

    prepared: Prepared
    bench: Bench
    examined: Examined
    outcomes: Sequence[Outcome] = field(default_factory=list)
    also: tuple[Outcome, ...] = ()

    def record(self, *, project: str, template: str | None) -> RunRecord:
        """The verdict, and all that it rests on."""
        made = concluded(self.prepared, (*self.outcomes, *self.also), contents=self.examined.contents, advisories=info_of(self.examined),
                         epoch=epoch_of(self.bench))  # fmt: skip
        return replace(made, command="sign", project=project, prefix="", template=template, verdict=_without_absences(made.verdict))


@contextmanager
def asked_about(
    subjects: Iterable[Subject], hands: Hands, terms: Terms, *, output: Output | None = None, reworded: Reworded = lambda one: one
) -> Generator[Answers]:  # fmt: skip
    """Look at zips, and ask every gate about them; what was unpacked is there until the context ends.

    Args:
        subjects: whose zips they are.
        hands: where their trees come from; with `output` their archives, too.
        terms: under which policy, and how.
        output: the folder in which SBOMs are made, where there are none yet.
        reworded: the outcome in whose place another one is judged.

    Raises:
        IntegrityError: a zip is not what somebody says that it is.
        ConfigError: a VEX document or the baseline cannot be read.
        IncompleteError: the folder for temporary files cannot be written.
    """
    with disk_errors(Path("the folder for temporary files")):
        place = TemporaryDirectory(prefix="shipsafe-zips-", ignore_cleanup_errors=True)
    with place as root:
        prepared = _prepared(tuple(subjects), terms, Path(root))
        with open_bench(prepared, terms.progress, terms.timeline) as opened:
            bench = replace(opened, output=output)
            names = [one.subject for one in prepared.subjects]
            terms.progress.start(names, [gate.id for gate in subject_gates()], packs=output is not None)
            examined = examine(bench, prepared.subjects, replace(hands, leave=_leave))
            outcomes = [_unasked(one) if one.subject == PROJECT else reworded(one) for one in examined.outcomes]
            yield Answers(prepared, bench, examined, outcomes, terms.also)
            bench.clear()


def _prepared(subjects: tuple[Subject, ...], terms: Terms, root: Path) -> Prepared:
    # Named one by one, because they need not be the whole project.
    names = tuple(one.name for one in subjects)
    request = Request(path=root, today=terms.today, functions=names, vex=terms.vex, offline=terms.offline, jobs=terms.jobs)
    documents, statements = read_documents(terms.policy, terms.vex, root=terms.home)
    return Prepared(
        request=request,
        policy=terms.policy,
        project=Project(
            root=root,
            template=None,
            functions=tuple(one for one in subjects if isinstance(one, Function)),
            layers=tuple(one for one in subjects if isinstance(one, Layer)),
        ),
        subjects=subjects,
        documents=documents,
        statements=statements,
        known=open_known(request, terms.policy, terms.home),
    )


def _unasked(outcome: Outcome) -> Outcome:
    """What the policy requires to be asked of the project, which is not here."""
    return Outcome.not_asked(outcome.gate, PROJECT, "Zips hold no project: a build asks, and says so in its evidence.")


def _leave(bench: Bench, case: Case) -> None:
    """Free the disk of what was unpacked. Functions look into the trees of layers, which stay until the end."""
    if isinstance(case.subject, Function):
        shutil.rmtree(bench.place(case.subject, "stage"), ignore_errors=True)


def refuse_signed(tree: StagedTree, *, shown: str) -> None:
    """What is signed already cannot be signed again.

    Raises:
        IncompleteError: the zip holds a signature of AWS Signer's.
    """
    if any(entry.path == ENTRY for entry in tree.entries):
        raise IncompleteError("Already signed: the zip holds a signature of AWS Signer, which signs no zip twice.",
                              remedy="Name the unsigned zip; `shipsafe inspect` shows who has signed this one.", path=shown)  # fmt: skip


def _without_absences(verdict: Verdict) -> Verdict:
    """Without remarks about what was not found: it may be what only a build sees."""
    return replace(
        verdict,
        waiver_notes=tuple(note for note in verdict.waiver_notes if note.news is not WaiverNews.UNUSED),
        vex_notes=tuple(note for note in verdict.vex_notes if note.news is not VexNews.UNMATCHED),
        vanished=(),
    )
