"""One file per question; each ends in its GATE constant.

A gate is found because its file stands in this folder; nothing outside our wheel is loaded. Rules of a gate that need a file of their
own stand in a package of theirs (`prebuilt`). Two guards make a lost file loud:
the policy names the gates it requires, and a test holds the list of all.
"""

import importlib
import pkgutil
from functools import cache

from shipsafe.model.finding import Rule
from shipsafe.model.gate import Gate, ProjectGate


@cache
def all_gates() -> tuple[Gate | ProjectGate, ...]:
    """Every gate, in the order of its name."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module.GATE for module in modules)


@cache
def subject_gates() -> tuple[Gate, ...]:
    """Those that are asked of every function and layer."""
    return tuple(gate for gate in all_gates() if isinstance(gate, Gate))


@cache
def project_gates() -> tuple[ProjectGate, ...]:
    """Those that are asked once, of the project."""
    return tuple(gate for gate in all_gates() if isinstance(gate, ProjectGate))


def all_rules() -> tuple[Rule, ...]:
    """Every rule of every gate, in the order of gates."""
    return tuple(rule for gate in all_gates() for rule in gate.rules)
