"""Whether what is ours came from our index: a name that anybody can publish elsewhere must not be taken from there.

shipsafe takes a claimed name from its index alone. What it looks at here is what came to lie in the tree nevertheless: a first-party
name that no index claims, or something that another tool installed.
"""

from collections.abc import Iterator

from shipsafe.adapters.uv import without_credentials
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import Inquiry
from shipsafe.model.policy import Policy
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Source
from shipsafe.packing.indexes import is_own, is_pypi

CONFUSION = Rule(
    id="dependencies/confusion",
    severity=Severity.CRITICAL,
    summary="A distribution that is ours by its name came from another index than ours.",
    remedy="Name its index under [[indexes.named]] with the names that it claims, lock again, and find out who published the other one.",
    why="Whoever learns the name of an internal package publishes a higher version of it where everybody can, and installers take the "
    "higher version: dependency confusion. A name that an index claims is taken from there and from nowhere else.",
    bad='first-party = ["acme-*"]      # and acme-billing 99.0 comes from PyPI',
    good='first-party = ["acme-*"]\n\n[[indexes.named]]\nname = "acme"\nurl = "https://packages.example.com/simple"\npackages = ["acme-*"]',
    references=(
        "https://medium.com/@alex.birsan/dependency-confusion-4a5d60fec610",
        "https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index",
    ),
)


def confused(inquiry: Inquiry) -> Iterator[Finding]:
    """One finding for each distribution that should have come from elsewhere."""
    for one in inquiry.staged.distributions:
        if why := _why_confused(one, inquiry.policy):
            yield Finding(
                rule=CONFUSION.id, subject=inquiry.subject.subject, message=f"{why}.", remedy=CONFUSION.remedy,
                severity=CONFUSION.severity, location=one.location, key=one.name, package=one.name, version=one.version,
                path=(*one.via, one.name), references=CONFUSION.references)  # fmt: skip


def why_unknown(one: Distribution, policy: Policy) -> str:
    """Why nobody can say whether a distribution that an index claims, or that is ours, came from where it should; "" where one can."""
    own = policy.claimant(one.name)
    if one.source is Source.PREBUILT and own and one.index is None:
        return f"{one.name} {one.version} was installed by another tool, and nobody can say that it came from its own index {own.name}"
    if one.source is Source.INDEX and one.index is None and (own or policy.is_first_party(one.name)):
        return f"{one.name} {one.version} is ours by its name, and came from an index that is not known"
    return ""


def _why_confused(one: Distribution, policy: Policy) -> str:
    if one.index is None or one.source is Source.BUNDLED:
        return ""
    if own := policy.claimant(one.name):
        place = without_credentials(own.url)
        came = f"{one.name} {one.version} came from {without_credentials(one.index)}"
        return "" if is_own(one.index, one.name, policy) else f"{came}, and its own index is {own.name} ({place})"
    if policy.is_first_party(one.name) and is_pypi(one.index, policy):
        return f"{one.name} {one.version} is first-party by its name and came from {one.index}, where anybody can publish"
    return ""
