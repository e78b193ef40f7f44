"""Ask one gate about one subject, or recall what it answered to the same question in an earlier run."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from shipsafe.adapters.shown import shown
from shipsafe.errors import ShipsafeError
from shipsafe.flows import answers
from shipsafe.flows.bench import Bench
from shipsafe.model.advisory import Advisories
from shipsafe.model.gate import Gate, Inquiry, ProjectGate, ProjectInquiry
from shipsafe.model.outcome import UNCHANGED, Outcome, State
from shipsafe.model.project import PROJECT, Function, Subject
from shipsafe.model.tree import StagedTree
from shipsafe.packing.runtimes import is_a_name
from shipsafe.packing.stage import BuiltElsewhereError

_IMAGE = (
    "is a container image, which Lambda cannot code-sign. Ship it as a zip, or sign the image in its registry and look at it "
    "with a container scanner."
)

Staged = StagedTree | ShipsafeError | None  # a tree, why there is none, or nothing to stage
Opened = Advisories | ShipsafeError | None  # advisories, why there are none, or nobody needs them


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One subject, what was staged for it, and the trees of the layers that it uses."""

    subject: Subject
    staged: Staged
    layers: tuple[StagedTree, ...] = ()

    @property
    def tree(self) -> StagedTree | None:
        """What will ship, if it could be staged."""
        return self.staged if isinstance(self.staged, StagedTree) else None


def is_image(subject: Subject) -> bool:
    """Whether it is a function that ships as a container image."""
    return isinstance(subject, Function) and subject.is_image


def ask(bench: Bench, gate: Gate, case: Case, advisories: Future[Opened] | None) -> Outcome:
    """The gate's outcome, whatever happens in it: the one place that runs a gate."""
    subject = case.subject
    reason = _not_asked(gate, case)
    if doubt := _doubt(gate, subject):
        outcome = Outcome.unanswered(gate.id, subject.subject, doubt)
    elif reason:
        outcome = Outcome.not_asked(gate.id, subject.subject, reason)
    elif gate.needs_tree and case.tree is None:
        outcome = Outcome.unanswered(gate.id, subject.subject, str(case.staged))
    else:
        inquiry = inquiry_of(bench, gate, case, advisories.result() if advisories and gate.needs_advisories else None)
        with bench.timeline.leg(gate.id, subject.subject) as leg:
            there = bench.before.questions.get((subject.subject, gate.id))
            if there and there == answers.substance(gate, inquiry, asking=bench.asking):
                outcome = _unchanged(gate, subject, bench.before.name)
            else:
                outcome, leg.cached = _recalled_or_run(bench, gate, inquiry)
    bench.progress.update(subject.subject, gate.id, outcome.state, _count(outcome))
    return outcome


def _recalled_or_run(bench: Bench, gate: Gate, inquiry: Inquiry) -> tuple[Outcome, bool]:
    """The outcome, and whether an earlier run had it."""
    return _recalled(bench, answers.question(gate, inquiry, asking=bench.asking), lambda: run(gate, inquiry))


def _recalled(bench: Bench, asked: object | None, look: Callable[[], Outcome]) -> tuple[Outcome, bool]:
    if asked is None:
        return look(), False
    kept = bench.answers.recall("outcome", asked)
    if kept is not None:
        return answers.read(kept), True
    outcome = look()
    if answers.lasts(outcome):
        bench.answers.keep("outcome", asked, outcome)
    return outcome, False


def ask_project(bench: Bench, gate: ProjectGate) -> Outcome | None:
    """The outcome of a gate about the project; None where it has nothing to ask about, and nobody requires it."""
    if gate.id not in bench.policy.required and not gate.arises(bench.project):
        return None
    workspace = bench.folder / PROJECT / gate.id
    inquiry = ProjectInquiry(project=bench.project, policy=bench.policy, today=bench.today, workspace=workspace)

    def look() -> Outcome:
        workspace.mkdir(parents=True, exist_ok=True)
        return gate.run(inquiry)

    with bench.timeline.leg(gate.id, PROJECT) as leg:
        asked = answers.project_question(gate, inquiry, asking=bench.asking)
        outcome, leg.cached = _recalled(bench, asked, lambda: _guarded(gate.id, PROJECT, look))
    return outcome


def _unchanged(gate: Gate, subject: Subject, name: str) -> Outcome:
    """A question that another revision has answered: `evidence` says so, for whoever must not take it for "nothing found"."""
    outcome = Outcome.not_asked(gate.id, subject.subject, f"Nothing that decides this has changed since {name}.")
    return replace(outcome, evidence={UNCHANGED: name})


def inquiry_of(bench: Bench, gate: Gate, case: Case, advisories: Opened) -> Inquiry:
    """What a gate is given about a subject."""
    return Inquiry(
        project=bench.project,
        subject=case.subject,
        policy=bench.policy,
        today=bench.today,
        workspace=bench.place(case.subject, gate.id),
        tree=case.tree,
        advisories=advisories,
        layer_trees=case.layers,
        epoch=bench.epoch,
        offline=bench.offline,
    )


def run(gate: Gate, inquiry: Inquiry) -> Outcome:
    """Ask for real; whatever a gate raises is "could not look"."""

    def look() -> Outcome:
        inquiry.workspace.mkdir(parents=True, exist_ok=True)
        if inquiry.tree and gate.needs_tree:
            inquiry.tree.materialise()
        return gate.run(inquiry)

    return _guarded(gate.id, inquiry.subject.subject, look)


def _guarded(gate: str, subject: str, look: Callable[[], Outcome]) -> Outcome:
    """What a gate answers, and "could not look" where it raises."""
    try:
        return look()
    except ShipsafeError as error:
        return Outcome.unanswered(gate, subject, str(error))
    except Exception as error:  # noqa: BLE001 - a gate that fails has not answered; the others go on
        return Outcome.unanswered(gate, subject, f"The gate itself failed ({type(error).__name__}: {error}). Report this as a bug.")


def _not_asked(gate: Gate, case: Case) -> str:
    """Why this question does not apply, or ""."""
    subject, tree = case.subject, case.tree
    if is_image(subject):
        return f"{subject.name} {_IMAGE}"
    if isinstance(case.staged, BuiltElsewhereError) and gate.needs_tree:
        return str(case.staged)
    if gate.python_only and not subject.is_python:
        language = subject.runtime or "no Python runtime"
        return f"{subject.name} has {language}; this gate looks at Python. Only package and layers are asked."
    if gate.python_only and tree and tree.prebuilt:
        way = f"ask about what is in it with --prebuilt {subject.name}={subject.code.path}"
        return f"{subject.name} was built by another tool; only package and layers are asked. Name its source folder, or {way}."
    return ""


def _doubt(gate: Gate, subject: Subject) -> str:
    """Why nobody knows whether this question applies, or ""."""
    runtime = subject.runtime
    if not gate.python_only or runtime is None or subject.is_python or is_a_name(runtime):
        return ""
    return (
        f"{shown(runtime)}, the runtime of {subject.name}, is not one of Lambda's, so nobody knows whether it is Python. Write python3.13."
    )


def _count(outcome: Outcome) -> str:
    if outcome.state is not State.ANSWERED:
        return outcome.reason
    counted = sum(1 for finding in outcome.findings if not finding.suppressed)
    return f"{counted} findings" if counted != 1 else "1 finding"
