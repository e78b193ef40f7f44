"""What ships is written down: a CycloneDX 1.6 SBOM per artifact, valid, and with the elements that the NTIA asks for.

The document stands in `sbom.json` of the gate's workspace. `build` gives it the digests of the zip; `check` has no zip. With

    [gates.sbom]
    supplier = "ACME Ltd"
    cross-check = true

the function's supplier is stated (else it is the first author of the nearest pyproject.toml), and `cyclonedx-py` must list the
same distributions (the `strict` preset says so): where two tools disagree about what ships, one of them is wrong, and the release
is not written down.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from typing import Any

from packaging.utils import canonicalize_name

from shipsafe import __version__
from shipsafe.adapters.files import disk_errors
from shipsafe.adapters.pyproject import pyprojects
from shipsafe.errors import ConfigError
from shipsafe.evidence.ntia import Lack, lacks
from shipsafe.evidence.sbom import compose, finish
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.outcome import Outcome
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, StagedTree

_ID = "sbom"
DOCUMENT = "sbom.json"  # in the workspace of the gate
_TOOLS = ("uv", "cyclonedx-python-lib")
_CHECKERS = ("cyclonedx-bom", "jsonschema-rs", "packageurl-python")
_SHOWN = 5

_NTIA = Rule(
    id="sbom/ntia",
    severity=Severity.LOW,
    summary="The SBOM lacks one of the NTIA's minimum elements.",
    remedy="Give the function a supplier in [gates.sbom], commit the project, and use distributions that say who made them.",
    why=(
        "Whoever must find out in a hurry whether a component is affected needs its supplier, name, version, identifier and "
        "relationship, and who wrote the SBOM when. Many buyers refuse an SBOM without them."
    ),
    bad="[gates.sbom]\n# no supplier here, and no authors in pyproject.toml\n",
    good='[gates.sbom]\nsupplier = "ACME Ltd"\n',
    references=("https://www.ntia.gov/report/2021/minimum-elements-software-bill-materials-sbom",),
)
_MISMATCH = Rule(
    id="sbom/mismatch",
    severity=Severity.HIGH,
    summary="A second tool lists other distributions than the SBOM.",
    remedy="Remove what is left of an old installation (.egg-info, a second .dist-info), and install the distribution from a wheel.",
    why=(
        "The SBOM is read when a vulnerability is announced. A distribution that it lacks is then not looked for, and one that it "
        "has too many is looked for in vain. Metadata that two tools read differently is also how a package hides its version."
    ),
    bad="src/orders/legacy.egg-info/PKG-INFO\n",
    good="src/orders/requirements.txt  # legacy==1.0, installed from a wheel\n",
    references=("https://packaging.python.org/en/latest/specifications/recording-installed-packages/",),
)


def _run(inquiry: Inquiry) -> Outcome:
    """Compose, check against the schema, compare with the second opinion, and see what is missing."""
    from shipsafe.evidence.schema import validate  # noqa: PLC0415 - the rules of this gate are wanted without the library

    subject, tree = inquiry.subject.subject, inquiry.staged
    document = _document(inquiry)
    if problems := validate(document):
        return Outcome.unanswered(_ID, subject, f"The SBOM is not valid CycloneDX 1.6: {_some(problems)}")
    findings = [_finding(lack, inquiry) for lack in lacks(document)]
    if cross_checked := _cross_checks(inquiry):
        findings.extend(_mismatches(inquiry))
    if tree.sbom is None:
        with disk_errors(inquiry.workspace):
            (inquiry.workspace / DOCUMENT).write_bytes(finish(document, None))
    evidence = {
        "format": "CycloneDX 1.6",
        "distributions": len(tree.distributions),
        "files": len(tree.entries),
        "cross-checked": cross_checked,
    }
    return Outcome.answered(_ID, subject, findings, evidence=evidence)


def _document(inquiry: Inquiry) -> Mapping[str, Any]:
    """The SBOM that was made of the tree before, where there is one, else a new one.

    Raises:
        ConfigError: see `_supplier`.
    """
    tree = inquiry.staged
    if tree.sbom is not None:
        document: Mapping[str, Any] = json.loads(tree.sbom.read_bytes())
        return document
    tools = {"shipsafe": __version__, **_versions(_TOOLS)}
    return compose(inquiry.subject, tree, epoch=inquiry.epoch, tools=tools, supplier=_supplier(inquiry))


def _inputs(inquiry: Inquiry) -> object:
    """What goes into the document beside the tree, and who writes, checks and doubts it.

    Raises:
        ConfigError: see `_supplier`.
    """
    return {
        "epoch": inquiry.epoch,
        "supplier": _supplier(inquiry),
        "tools": _versions((*_TOOLS, *_CHECKERS)),
    }


@cache
def _versions(names: tuple[str, ...]) -> dict[str, str]:
    return {name: metadata.version(name) for name in names}


def _supplier(inquiry: Inquiry) -> str | None:
    """Who ships the function: as the policy says, else the first author of the nearest pyproject.toml that has one.

    Raises:
        ConfigError: the policy's supplier is not a text, or a pyproject.toml is not TOML.
    """
    stated = inquiry.settings(_ID).settings.get("supplier")
    if stated is not None:
        if not isinstance(stated, str) or not stated.strip():
            raise ConfigError("`gates.sbom.supplier` is not a text.", remedy="Write a name.", path=inquiry.policy.path)
        return stated.strip()
    project = inquiry.project
    for _, content in pyprojects(project.code_folder(inquiry.subject), project.root):
        if name := _first_author(content):
            return name
    return None


def _first_author(content: Mapping[str, Any]) -> str | None:
    """The name in `[project] authors = [{name = "..."}]`."""
    project = content.get("project")
    authors = project.get("authors") if isinstance(project, dict) else None
    for author in authors if isinstance(authors, list) else []:
        name = author.get("name") if isinstance(author, dict) else None
        if isinstance(name, str) and name.strip():
            return " ".join(name.split())
    return None


def _cross_checks(inquiry: Inquiry) -> bool:
    """Whether the second opinion is asked.

    Raises:
        ConfigError: the setting is neither true nor false.
    """
    value = inquiry.settings(_ID).settings.get("cross-check", False)
    if not isinstance(value, bool):
        raise ConfigError("`gates.sbom.cross-check` is neither true nor false.", remedy="Write true.", path=inquiry.policy.path)
    return value


def _mismatches(inquiry: Inquiry) -> Iterator[Finding]:
    """Distributions on Python's path that only one of the two lists."""
    from shipsafe.adapters.cyclonedx import list_distributions, metadata_place  # noqa: PLC0415 - only under cross-check

    tree = inquiry.staged
    paths = {entry.path for entry in tree.entries}
    told = [(one, f"{one.dist_info}/METADATA") for one in tree.distributions]
    ours = {(one.name, one.version): one for one, path in told if path in paths and metadata_place(path)}
    theirs = set(list_distributions(tree.entries, workspace=inquiry.workspace))
    for name, version in sorted(ours.keys() ^ theirs, key=str):
        one = ours.get((name, version))
        where = "in the SBOM and not in the list of" if one else "not in the SBOM and in the list of"
        yield Finding(
            rule=_MISMATCH.id,
            subject=inquiry.subject.subject,
            message=f"{name} {version or 'of unknown version'} is {where} cyclonedx-py.",
            remedy=_MISMATCH.remedy,
            severity=_MISMATCH.severity,
            location=(one.location if one else None) or inquiry.subject.location,
            key=f"{name}@{version}",
            package=name,
            version=version,
        )


def _some(texts: Iterable[str]) -> str:
    """The first few, and how many more."""
    listed = list(texts)
    more = f"; and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return f"{'; '.join(listed[:_SHOWN])}{more}."


def _finding(lack: Lack, inquiry: Inquiry) -> Finding:
    """A component that lacks something, where a person would look."""
    elements = ", ".join(lack.elements)
    if lack.root:
        return Finding(
            rule=_NTIA.id,
            subject=inquiry.subject.subject,
            message=f"The SBOM of {lack.name} lacks: {elements}.",
            remedy="State [gates.sbom] supplier in the policy; for the timestamp, commit the project or set SOURCE_DATE_EPOCH.",
            severity=_NTIA.severity,
            location=inquiry.subject.location,
            key="root",
        )
    distribution = _distribution(lack, inquiry.staged)
    return Finding(
        rule=_NTIA.id,
        subject=inquiry.subject.subject,
        message=f"{lack.name} {lack.version or 'of unknown version'} lacks: {elements}.",
        remedy="Ask its authors to name themselves in its metadata, or take it from an index.",
        severity=_NTIA.severity,
        location=distribution.location if distribution else None,
        key=lack.ref,
        package=distribution.name if distribution else None,
        version=lack.version or None,
    )


def _distribution(lack: Lack, tree: StagedTree) -> Distribution | None:
    """The distribution that a component stands for."""
    wanted = (canonicalize_name(lack.name), lack.version or None)
    return next((one for one in tree.distributions if (one.name, one.version) == wanted), None)


GATE = Gate(
    id=_ID,
    title="Is everything that ships written down?",
    rules=(_NTIA, _MISMATCH),
    run=_run,
    python_only=True,
    settings=("supplier", "cross-check"),
    inputs=_inputs,
)
