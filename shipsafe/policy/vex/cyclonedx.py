"""VEX in CycloneDX 1.4 to 1.7 -> statements: the `vulnerabilities` of an SBOM, or of a document of their own, that have an analysis.

`affects` points at components. One that stands inside a function's or layer's component, or in the SBOM of one, is meant there only. Of
`affects.versions` an exact version is believed that is said to be `unaffected`; an `affected` one (which is the default) stays affected
whatever the analysis says of the others, and ranges are not read.

Reference: https://cyclonedx.org/capabilities/vex/ and the JSON schemas.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from shipsafe.model.vex import Product, Statement, Status
from shipsafe.policy.vex.names import product, within
from shipsafe.policy.vex.node import Node

VERSIONS = ("1.4", "1.5", "1.6", "1.7")
_STATES = {
    "not_affected": Status.NOT_AFFECTED,
    "false_positive": Status.NOT_AFFECTED,
    "resolved": Status.FIXED,
    "resolved_with_pedigree": Status.FIXED,
    "exploitable": Status.AFFECTED,
    "in_triage": Status.UNDER_INVESTIGATION,
}
_JUSTIFICATIONS = (
    *("code_not_present", "code_not_reachable", "requires_configuration", "requires_dependency", "requires_environment"),
    *("protected_by_compiler", "protected_at_runtime", "protected_at_perimeter", "protected_by_mitigating_control"),
)
_ANALYSIS = ("state", "justification", "response", "detail", "firstIssued", "lastUpdated")
_DEEPEST = 32  # components in each other


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bom:
    """`whole`: what the document as a whole is about, where that is a function or layer of ours; `products`: by `bom-ref`.

    `link` is how a BOM-Link to something in it begins, "" where the document has no serial number.
    """

    whole: Product | None
    products: Mapping[str, Product]
    link: str


def is_cyclonedx(root: Node) -> bool:
    """Whether it says of itself that it is CycloneDX."""
    return isinstance(root.value, dict) and root.value.get("bomFormat") == "CycloneDX"


def statements(root: Node) -> Iterator[Statement]:
    """Its statements: two for a vulnerability whose analysis holds for some versions and not for others.

    Raises:
        ConfigError: a part that decides is not valid, with file and JSON pointer.
    """
    root.need("specVersion").one_of(VERSIONS)
    bom, author = _bom(root), _author(root)
    metadata = root.get("metadata")
    issued = metadata.get("timestamp") if metadata else None
    for node in root.items("vulnerabilities"):
        analysis = node.get("analysis")
        state = analysis.only(_ANALYSIS).get("state") if analysis else None
        if analysis is None or state is None:
            continue  # listed, and nothing said about it
        word = state.one_of(tuple(_STATES))
        when = analysis.get("lastUpdated") or analysis.get("firstIssued") or issued
        detail = next(iter(analysis.texts("detail")), "")
        stated = analysis.get("justification")
        justification = stated.one_of(_JUSTIFICATIONS) if stated else ""
        statement = Statement(
            source=root.file,
            pointer=node.pointer,
            vulnerability=node.need("id").text(),
            aliases=tuple(one.need("id").text() for one in node.items("references")),
            status=_STATES[word],
            products=(),
            author=author,
            time=when.time() if when else None,
            justification=justification if _STATES[word] is Status.NOT_AFFECTED else "",
            detail=detail,
        )
        meant, affected = _affects(node, bom)
        if affected and statement.status is not Status.AFFECTED:
            yield replace(statement, status=Status.AFFECTED, products=tuple(affected), justification="")
        if meant or not affected:
            yield replace(statement, products=tuple(meant))


def _affects(node: Node, bom: _Bom) -> tuple[list[Product], list[Product]]:
    """The products that the analysis is about, and those versions that stay affected."""
    if node.get("affects") is None:
        return ([bom.whole] if bom.whole else []), []
    meant, affected = [], []
    for entry in node.items("affects"):
        found = _referred(entry.only(("ref", "versions")).need("ref"), bom)
        if entry.get("versions") is None:
            meant.append(found)
        for version in entry.items("versions"):
            stated, exact = version.only(("version", "range", "status")).get("status"), version.get("version")
            status = stated.one_of(("affected", "unaffected", "unknown")) if stated else "affected"
            if exact is None or found.version not in (None, exact.text()):
                continue
            one = replace(found, version=exact.text())
            if status == "unaffected":
                meant.append(one)
            elif status == "affected":
                affected.append(one)
    return meant, affected


def _referred(ref: Node, bom: _Bom) -> Product:
    """What a reference is to: a component of this document (a BOM-Link to itself is one, too), or what its own text names."""
    name = unquote(ref.text().removeprefix(bom.link)) if bom.link and ref.text().startswith(bom.link) else ref.text()
    if name in bom.products:
        return bom.products[name]
    found = product(ref)
    if found.package is None and found.subject is None and not found.text.startswith(("urn:cdx:", "pkg:")):
        raise ref.error(f"No component has the bom-ref `{found.text[:100]}`.", "Add the component, or refer to it by purl or BOM-Link.")
    return found


def _bom(root: Node) -> _Bom:
    metadata = root.get("metadata")
    top = metadata.get("component") if metadata else None
    whole = _component(top) if top else None
    whole = whole if whole and whole.subject else None
    products = {} if top is None else {ref: whole or _component(top) for ref in top.texts("bom-ref")}
    level = [(node, whole) for outer in (root, *([top] if top else [])) for node in outer.items("components")]
    for _ in range(_DEEPEST):
        inner: list[tuple[Node, Product | None]] = []
        for node, around in level:
            own = _component(node)
            place = own if own.subject else around
            found = within(own, around) if around and own.package else own
            products |= dict.fromkeys(node.texts("bom-ref"), found)
            inner += [(one, place) for one in node.items("components")]
        level = inner
    if level:
        raise level[0][0].error(f"Components stand more than {_DEEPEST} deep in each other.", "No VEX document needs that.")
    return _Bom(whole=whole, products=products, link=_link(root))


def _link(root: Node) -> str:
    serial, version = root.get("serialNumber"), root.get("version")
    if serial is None:
        return ""
    number = version.value if version and isinstance(version.value, int) else 1
    return f"urn:cdx:{serial.text().removeprefix('urn:uuid:')}/{number}#"


def _component(node: Node) -> Product:
    """What a component is: by its purl, and by its `bom-ref` where that is how we name a function or layer."""
    ref, purl, version = node.get("bom-ref"), node.get("purl"), node.get("version")
    name = product(ref) if ref else None
    own = product(purl) if purl else None
    if name is not None and name.subject is not None:
        return replace(name, digest=own.digest if own else None)
    if own is None:
        return Product(text=next(iter(node.texts("name")), ""))
    if own.package and own.version is None and version is not None:
        return replace(own, version=version.text())
    return own


def _author(root: Node) -> str:
    """Whoever the document names: authors, else supplier, else manufacturer."""
    metadata = root.get("metadata")
    if metadata is None:
        return ""
    authors = [one.texts("name", "email")[:1] for one in metadata.items("authors")]
    others = [one.texts("name") for key in ("supplier", "manufacturer", "manufacture") if (one := metadata.get(key))]
    return ", ".join(name for names in (authors or others[:1]) for name in names)
