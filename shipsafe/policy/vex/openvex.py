"""OpenVEX 0.2.0 documents -> statements. Strict, as its JSON schema is: a misspelt key would change what is meant.

Reference: https://github.com/openvex/spec, OPENVEX-SPEC.md and openvex_json_schema.json.
"""

import re
from collections.abc import Iterator

from shipsafe.model.vex import JUSTIFICATIONS, Product, Statement, Status
from shipsafe.policy.vex.names import product, within
from shipsafe.policy.vex.node import Node

# The specification fixes the first "before 1.0"; its tools write the second.
_CONTEXT = re.compile(r"https://openvex\.dev/ns(?:/v0\.2\.\d+)?")
_DOCUMENT = ("@context", "@id", "author", "role", "timestamp", "last_updated", "version", "tooling", "statements")
_STATEMENT = (
    *("@id", "version", "vulnerability", "timestamp", "last_updated", "products", "status", "supplier", "status_notes"),
    *("justification", "impact_statement", "action_statement", "action_statement_timestamp"),
)
_COMPONENT = ("@id", "identifiers", "hashes")


def is_openvex(root: Node) -> bool:
    """Whether it says of itself that it is OpenVEX, of whatever version."""
    context = root.value.get("@context") if isinstance(root.value, dict) else None
    return isinstance(context, str) and context.startswith("https://openvex.dev/")


def statements(root: Node) -> Iterator[Statement]:
    """Its statements; a time that one does not state is its document's.

    Raises:
        ConfigError: it is not a valid document, with file and JSON pointer.
    """
    context = root.only(_DOCUMENT).need("@context")
    if not _CONTEXT.fullmatch(context.text()):
        raise context.error(f"`{context.text()[:60]}` is not OpenVEX 0.2.0.", "Convert it with vexctl, or name a document of that version.")
    root.need("@id").text()
    author, time = root.need("author").text(), root.need("timestamp").time()
    version = root.need("version")
    if not isinstance(version.value, int) or isinstance(version.value, bool) or version.value < 1:
        raise version.error("Not a version number from 1.", "Write 1.")
    root.need("statements")
    for node in root.items("statements"):
        node.only(_STATEMENT)
        vulnerability = node.need("vulnerability").only(("@id", "name", "description", "aliases"))
        status = Status(node.need("status").one_of(tuple(Status)))
        stated = node.get("timestamp")
        yield Statement(
            source=root.file,
            pointer=node.pointer,
            vulnerability=vulnerability.need("name").text(),
            aliases=tuple(alias.text() for alias in vulnerability.items("aliases")),
            status=status,
            products=tuple(found for one in node.items("products") for found in _products(one)),
            author=author,
            time=stated.time() if stated else time,
            justification=_justification(node, status),
            detail=next(iter(node.texts("impact_statement", "action_statement", "status_notes")), ""),
        )


def _justification(node: Node, status: Status) -> str:
    """Why it is not affected, or "". What the specification asks of a status has to be there."""
    stated = node.get("justification")
    justification = stated.one_of(JUSTIFICATIONS) if stated else ""
    if status is Status.NOT_AFFECTED and not justification and node.get("impact_statement") is None:
        remedy = f"Choose one of {', '.join(JUSTIFICATIONS)}; or say why in an `impact_statement`."
        raise node.error("`not_affected` needs a `justification`.", remedy)
    if status is Status.AFFECTED and node.get("action_statement") is None:
        raise node.error("`affected` needs an `action_statement`.", "Say what to do about it.")
    return justification if status is Status.NOT_AFFECTED else ""


def _products(node: Node) -> Iterator[Product]:
    """A product, or each of its subcomponents in it."""
    outer = _component(node.only((*_COMPONENT, "subcomponents")))
    inner = [_component(one.only(_COMPONENT)) for one in node.items("subcomponents")]
    yield from (within(one, outer) for one in inner) if inner else (outer,)


def _component(node: Node) -> Product:
    """What it is by its purl, else by its `@id`."""
    identifiers = node.get("identifiers")
    purl = identifiers.only(("purl", "cpe22", "cpe23")).get("purl") if identifiers else None
    name = purl or node.get("@id")
    if name is not None:
        return product(name)
    if identifiers is None:
        raise node.error("Neither `@id` nor `identifiers`.", "Name the product, best by its purl.")
    return Product(text=", ".join(identifiers.texts("cpe23", "cpe22")))
