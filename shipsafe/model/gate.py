"""A question that is asked of every function and layer, or once of the project, and what it is given to answer it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shipsafe.errors import ShipsafeError
from shipsafe.model.advisory import Advisories
from shipsafe.model.finding import Rule
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import GatePolicy, Policy
from shipsafe.model.project import Project, Subject
from shipsafe.model.tree import StagedTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What a gate is given. It may read these and nothing else; it changes nothing outside `workspace`.

    Attributes:
        tree: what will ship. None only for gates that do not need it.
        advisories: the source of advisories, or the error that says why there is none.
        layer_trees: staged trees of the project's own layers that this function uses, for sizes and handlers.
        workspace: a private, empty folder for this gate and subject.
        epoch: seconds since 1970 for times in documents (SOURCE_DATE_EPOCH, else the commit's time), or None.
        offline: no socket may be opened, by children either.
    """

    project: Project
    subject: Subject
    policy: Policy
    today: date
    workspace: Path
    tree: StagedTree | None = None
    advisories: Advisories | ShipsafeError | None = None
    layer_trees: tuple[StagedTree, ...] = ()
    epoch: int | None = None
    offline: bool = False

    @property
    def staged(self) -> StagedTree:
        """The tree, for gates that need it.

        Raises:
            ValueError: the flow asked a gate that needs a tree without one.
        """
        if self.tree is None:
            message = f"{self.subject.subject} has not been staged."
            raise ValueError(message)
        return self.tree

    def settings(self, gate_id: str) -> GatePolicy:
        """What the policy says of that gate."""
        return self.policy.gate(gate_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One question. It gives findings or evidence, never a decision.

    Attributes:
        title: what it asks, for the table on the screen.
        python_only: not asked of functions in other languages, nor of prebuilt archives.
        needs_advisories: waits for the source of advisories; the others do not, and find none in their inquiry.
        needs_tree: cannot be asked when staging failed (then: unanswered, with the reason of the failure).
        rules: what it can find. Rules that are made up from data (bandit's tests) are listed too.
        settings: keys that `[gates.ID]` may hold beside mode, enforce-from, fail-on and unscored.
        run: asks; may raise `ShipsafeError`, which becomes an unanswered outcome.
        inputs: everything that decides the answer beside the subject, its tree and the policy, as a JSON value; an answer is kept
            for the next run under it. None as value, or no function: the answer is never kept.
    """

    id: str
    title: str
    rules: tuple[Rule, ...]
    run: Callable[[Inquiry], Outcome]
    python_only: bool = False
    needs_advisories: bool = False
    needs_tree: bool = True
    settings: tuple[str, ...] = ()
    inputs: Callable[[Inquiry], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInquiry:
    """What a gate about the project is given. It may read these and nothing else; it changes nothing outside `workspace`.

    Attributes:
        workspace: a private, empty folder for this gate.
    """

    project: Project
    policy: Policy
    today: date
    workspace: Path

    def settings(self, gate_id: str) -> GatePolicy:
        """What the policy says of that gate."""
        return self.policy.gate(gate_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectGate:
    """One question about what all functions and layers share; its one outcome has the subject `project`.

    Attributes:
        title, rules, settings: as those of a `Gate`.
        arises: whether the project has anything that it asks about. Where not, it is asked only if the policy requires it.
        run: asks; may raise `ShipsafeError`, which becomes an unanswered outcome.
        inputs: everything that decides the answer beside the policy, as a JSON value; None: the answer is not kept.
    """

    id: str
    title: str
    rules: tuple[Rule, ...]
    arises: Callable[[Project], bool]
    run: Callable[[ProjectInquiry], Outcome]
    inputs: Callable[[ProjectInquiry], object]
    settings: tuple[str, ...] = ()
