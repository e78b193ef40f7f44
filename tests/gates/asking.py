"""Inquiries about small staged trees, as a flow would hand them to the package and layers gates."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from shipsafe.model.gate import Inquiry
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.project import Code, CodeKind, Function, Layer, LayerRef, Project, Subject
from shipsafe.model.tree import StagedTree

TEMPLATE = Location(path="template.yaml", line=9)
HANDLER = Location(path="template.yaml", line=12)


def function(handler: str | None = "app.handler", runtime: str = "python3.11", *layers: LayerRef, **fields: object) -> Function:
    """A function called App."""
    made = Function(
        name="App",
        runtime=runtime,
        handler=handler,
        code=Code(kind=CodeKind.FOLDER, path="src"),
        location=TEMPLATE,
        layers=layers,
        places={"handler": HANDLER},
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def layer(**fields: object) -> Layer:
    """A layer called Common."""
    made = Layer(name="Common", code=Code(kind=CodeKind.FOLDER, path="layer"), location=TEMPLATE)
    return replace(made, **fields)  # type: ignore[arg-type]


def inquiry(folder: Path, subject: Subject, tree: StagedTree | None = None, *layers: StagedTree, policy: Policy | None = None) -> Inquiry:
    """What a gate is given."""
    return Inquiry(
        project=Project(root=folder, template="template.yaml"),
        subject=subject,
        policy=policy or Policy(path=None, digest=""),
        today=date(2026, 11, 21),
        workspace=folder,
        tree=tree,
        layer_trees=layers,
    )


def rules(outcome: Outcome) -> list[str]:
    """What was found, by rule, in order."""
    return [finding.rule.partition("/")[2] for finding in outcome.findings]
