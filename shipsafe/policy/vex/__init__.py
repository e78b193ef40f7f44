"""VEX documents -> statements for the judge: those that the policy names (`vex = [...]`), and those of `--vex`.

A statement can take a finding out of what blocks, so a document is trusted exactly as the policy file is: it lies in the repository and is
reviewed with it, or somebody who may choose the policy names it. An organisation's base forbids both with `fixed = ["vex"]`, and with
`fixed = ["waivers"]`, because a statement does what a waiver does.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shipsafe.adapters.files import MEBIBYTE, read_bounded, relative
from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy
from shipsafe.model.vex import Statement, VexDocument
from shipsafe.policy.document import Document
from shipsafe.policy.vex import cyclonedx, openvex
from shipsafe.policy.vex.node import Node, parse

__all__ = ["bound", "paths", "read_documents", "read_statements"]

# Parsed, JSON takes twenty times its bytes, and a run has a few hundred megabytes.
_LIMIT = 8 * MEBIBYTE
_MOST_DOCUMENTS = 100
_MOST_PRODUCTS = 50_000  # of all documents together


def read_documents(policy: Policy, given: Sequence[Path], *, root: Path) -> tuple[tuple[VexDocument, ...], tuple[Statement, ...]]:
    """Every document and every statement, those of the policy first.

    Args:
        policy: names documents, and may forbid to name more.
        given: the documents of `--vex`.
        root: the project's folder, absolute, which names are relative to; a document from elsewhere goes by its file name.

    Raises:
        ConfigError: a document cannot be read, is not valid (with file and JSON pointer), or may not be named.
    """
    fixed = policy.effective.get("fixed", ())
    for key in ("vex", "waivers"):
        if given and isinstance(fixed, list) and key in fixed:
            raise ConfigError(f"The policy fixes `{key}` ({policy.origins.get('fixed', 'its base')}), so --vex can add nothing.",
                              remedy="Leave it out.", path=policy.path)  # fmt: skip
    files = {Path(path): relative(Path(path), root) for path in policy.vex}
    for path in given:
        file = path.resolve()
        files.setdefault(file, relative(file, root) if file.is_relative_to(root) else file.name)
    if len(files) > _MOST_DOCUMENTS:
        raise ConfigError(f"There are {len(files)} VEX documents; {_MOST_DOCUMENTS} are read at most.", remedy="Join some of them.")
    documents: list[VexDocument] = []
    found: list[Statement] = []
    for file, name in files.items():
        document, statements = read_statements(read_bounded(file, limit=_LIMIT, shown=name), name=name)
        documents.append(document)
        found += statements
        if sum(len(statement.products) or 1 for statement in found) > _MOST_PRODUCTS:
            raise ConfigError(f"With this VEX document there are more than {_MOST_PRODUCTS} products.",
                              remedy="Keep the statements that speak of what you ship.", path=name)  # fmt: skip
    return tuple(documents), tuple(found)


def bound(statements: Sequence[Statement], contents: Mapping[str, str]) -> tuple[Statement, ...]:
    """The statements about what is here: a product that names a content digest is meant only where that is the content.

    Args:
        statements: of all documents.
        contents: `function:ID` or `layer:ID` -> content digest of what will ship of it.
    """
    return tuple(statement.bound(contents) for statement in statements)


def read_statements(data: bytes, *, name: str) -> tuple[VexDocument, tuple[Statement, ...]]:
    """One document, OpenVEX or CycloneDX.

    Raises:
        ConfigError: it is neither, is not valid, or holds no statement.
    """
    root = parse(data, file=name)
    if openvex.is_openvex(root):
        kind, found = "OpenVEX 0.2.0", _bounded(openvex.statements(root), root)
    elif cyclonedx.is_cyclonedx(root):
        found = _bounded(cyclonedx.statements(root), root)
        kind = f"CycloneDX {root.need('specVersion').text()}"
    else:
        raise root.error("Neither OpenVEX (`@context`) nor CycloneDX (`bomFormat`).", "Name a VEX document in JSON.")
    if not found:
        raise root.error("It makes no statement.", "Name a document with statements, or with `vulnerabilities` that have an `analysis`.")
    digest = hashlib.sha256(data).hexdigest()
    return VexDocument(path=name, sha256=digest, format=kind, statements=len(found)), found


def _bounded(statements: Iterator[Statement], root: Node) -> tuple[Statement, ...]:
    found, products = [], 0
    for statement in statements:
        found.append(statement)
        products += len(statement.products) or 1
        if products > _MOST_PRODUCTS:
            raise root.error(f"It names more than {_MOST_PRODUCTS} products.", "Keep the statements that speak of what you ship.")
    return tuple(found)


def paths(chain: Sequence[Document], folder: Path) -> tuple[str, ...]:
    """The documents that the project's own policy names, as absolute paths.

    Args:
        chain: the documents of the policy, the project's own last.
        folder: where the project's own lies; paths are relative to it.

    Raises:
        ConfigError: a base names one (its SHA-256 would not bind it), or one lies outside the repository.
    """
    for base in chain[:-1]:
        if base.values.get("vex"):
            raise base.error("vex", "A base cannot name VEX documents, because its SHA-256 does not bind them.",
                             "Name them in the project's own policy.")  # fmt: skip
    top = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)
    stated: Any = chain[-1].values.get("vex", ())
    found = []
    for text in stated:
        path = (folder / text).resolve()
        if not path.is_relative_to(top):
            raise chain[-1].error("vex", f"The VEX document {text} lies outside the repository.", "Keep it inside, or name it with --vex.")
        found.append(str(path))
    return tuple(found)
