"""What a gate answered, kept for the next run under everything that decided it.

Only answers are kept, never a decision: whether a finding blocks is judged anew in every run, under the policy of that run. What
could not be looked at is not kept either.
"""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from shipsafe import __version__
from shipsafe.adapters.cache import canonical
from shipsafe.errors import ShipsafeError
from shipsafe.evidence.outcomes import read_finding, read_outcome
from shipsafe.model.gate import Gate, Inquiry, ProjectGate, ProjectInquiry
from shipsafe.model.outcome import Outcome, State
from shipsafe.model.policy import Policy
from shipsafe.model.project import PROJECT

# Whose answers a verdict rests on; their versions stand in every report and in the release manifest.
_TOOLS = ("uv", "pip-audit", "bandit", "cyclonedx-python-lib", "deflate")
# Keys of a policy that say what an answer means, not what is asked; functions stand in the question themselves.
_JUDGING = frozenset({
    "waivers", "required", "fixed", "unwaivable", "longest-waiver", "baseline", "longest-baseline", "vex", "extends", "evidence", "sign",
    "attest", "approvals", "pipeline",
    "mode", "enforce-from", "fail-on", "unscored", "functions",
})  # fmt: skip


@cache
def tools() -> Mapping[str, str]:
    """Name -> version of shipsafe and of the tools that it asks."""
    return {"shipsafe": __version__, **{name: version(name) for name in _TOOLS}}


def question(gate: Gate, inquiry: Inquiry, *, asking: object, lines: bool = True) -> object | None:
    """Everything that decides a gate's answer; None where nobody can say, and the answer is not kept.

    The subject stands in it although a tree's fingerprint is made of it too: gates read the subject itself.

    Args:
        gate: the gate.
        inquiry: what it is given.
        asking: `asking_part` of the policy.
        lines: whether the lines where things stand are part of it: they are part of an answer.
    """
    if gate.inputs is None or inquiry.tree is None or not inquiry.tree.fingerprint:
        return None
    try:
        inputs = gate.inputs(inquiry)
    except ShipsafeError:  # the gate itself will say so
        return None
    tree, *layers = [one.fingerprint if lines else one.likeness for one in (inquiry.tree, *inquiry.layer_trees)]
    if inputs is None or not tree or not all(layers):
        return None
    subject = (inquiry.subject.subject, inquiry.subject)
    named = list(zip([one.subject for one in inquiry.layer_trees], layers, strict=True))
    return [gate.id, inputs, subject, tree, named, asking, tools(), sys.version_info[:3]]


def project_question(gate: ProjectGate, inquiry: ProjectInquiry, *, asking: object) -> object | None:
    """The same of a gate about the project."""
    try:
        inputs = gate.inputs(inquiry)
    except ShipsafeError:  # the gate itself will say so
        return None
    return None if inputs is None else [gate.id, inputs, PROJECT, asking, tools(), sys.version_info[:3]]


def substance(gate: Gate, inquiry: Inquiry, *, asking: object) -> str:
    """A digest of the question without the lines where things stand: what is found for equal ones is the same. "" where nobody can say."""
    asked = question(gate, inquiry, asking=asking, lines=False)
    return "" if asked is None else hashlib.sha256(canonical(asked, lines=False)).hexdigest()


def asking_part(policy: Policy) -> Mapping[str, object]:
    """The policy without what only the judge reads: a new waiver asks nobody anything again."""
    return {key: _asking(value) for key, value in policy.effective.items() if key not in _JUDGING}


def _asking(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: _asking(inner) for key, inner in value.items() if key not in _JUDGING}


def lasts(outcome: Outcome) -> bool:
    """Whether it may be kept: somebody looked, and looking again would show the same."""
    return outcome.state is not State.UNANSWERED


def read(kept: Mapping[str, Any]) -> Outcome:
    """An outcome as the cache gives it back."""
    return read_outcome(kept, map(read_finding, kept["findings"]))
