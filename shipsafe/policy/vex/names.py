"""The names that VEX documents give to products -> what they are here.

    function:Billing, layer:Shared             as our SBOMs name functions and layers (`bom-ref`)
    pkg:generic/Billing[@sha256:...]           as their purls do; with a version only for exactly that content
    pkg:pypi/requests[@2.31.0]                 a distribution, wherever it is
    urn:cdx:SERIAL/1#function:Billing          a BOM-Link to one of the first two

Everything else (CPE, container images, other ecosystems) names nothing that is looked at here. Nor does a BOM-Link to a distribution: it
means the one in a certain document, perhaps the SBOM of one function, and must not be taken for the same one everywhere. Qualifiers and
subpaths of a purl are not compared: our SBOMs use them to say where a distribution came from, and a finding does not know.
"""

import re
from dataclasses import replace
from urllib.parse import unquote

from shipsafe.model.vex import Product
from shipsafe.policy.vex.node import Node

_SUBJECT = re.compile(r"(?:function|layer):.+", re.DOTALL)
_BOM_LINK = re.compile(r"urn:cdx:[0-9a-f-]{36}/[0-9]+#(.+)", re.DOTALL)


def product(node: Node) -> Product:
    """What a text names.

    Raises:
        ConfigError: it is a purl that cannot be read.
    """
    from packageurl import PackageURL  # noqa: PLC0415 - 20 ms that a run without VEX does not need
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    text = node.text()
    link = _BOM_LINK.fullmatch(text)
    name = unquote(link[1]) if link else text
    if _SUBJECT.fullmatch(name):
        return Product(text=text, subject=name)
    if not name.startswith("pkg:"):
        return Product(text=text)
    try:
        purl = PackageURL.from_string(name)
    except ValueError as error:
        raise node.error(f"`{name[:100]}` is not a package URL: {error}.", "Write pkg:pypi/NAME@VERSION.") from error
    if purl.type == "pypi" and not link:
        return Product(text=text, package=canonicalize_name(purl.name), version=purl.version or None)
    if purl.type == "generic":
        name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
        return Product(text=text, subject=name, digest=purl.version or None)
    return Product(text=text)


def within(inner: Product, outer: Product) -> Product:
    """A component in a product: here, a distribution in a function or layer; anything else covers nothing."""
    text = f"{inner.text} in {outer.text}"
    if outer.subject is None or inner.package is None:
        return Product(text=text)
    return replace(outer, text=text, package=inner.package, version=inner.version)
