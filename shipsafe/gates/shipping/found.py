"""A finding at a place in a workflow."""

from shipsafe.gates.shipping.document import Node
from shipsafe.gates.shipping.files import File
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.location import Location
from shipsafe.model.project import PROJECT
from shipsafe.model.severity import Severity


def finding(rule: Rule, file: File, node: Node, message: str, *, key: str, severity: Severity | None = None) -> Finding:
    """What a rule says of a place.

    Args:
        rule: the rule.
        file: the file.
        node: where in it.
        message: what is wrong there.
        key: what makes it this one in its file, whatever its line.
        severity: where it is not the rule's own.
    """
    return Finding(
        rule=rule.id,
        subject=PROJECT,
        message=message,
        remedy=rule.remedy,
        severity=severity or rule.severity,
        location=Location(path=file.shown, line=node.line, column=node.column),
        key=f"{file.path}:{key}",
        references=rule.references,
    )
