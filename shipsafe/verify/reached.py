"""Which versions of a function calls reach: the one that is named, those of an alias, or `$LATEST` and those of all aliases."""

from collections.abc import Sequence
from dataclasses import replace

from shipsafe.adapters.aws.functions import LATEST, Alias, FunctionName
from shipsafe.errors import ShipsafeError
from shipsafe.model.chain import Chain
from shipsafe.verify import live_links
from shipsafe.verify.aliases import alias_link
from shipsafe.verify.function import Version, verify_version
from shipsafe.verify.links import unanswered
from shipsafe.verify.looks import not_looked
from shipsafe.verify.signed_code import Site


def reached(site: Site, name: FunctionName, subject: str) -> tuple[Chain, ...]:
    """The chains of a function, a version or an alias, and of the project's layers that they have.

    Args:
        site: where it is.
        name: as it was asked for.
        subject: of the function, for its chains; a version or alias is put behind it.
    """
    if name.qualifier is None:
        return _all(site, name.name, subject)
    if name.qualifier == LATEST or name.qualifier.isdigit():
        version = verify_version(site, name.name, name.qualifier, f"{subject}:{name.qualifier}")
        return _with_layers(version, version.chain)
    try:
        alias = site.looks.alias(name.name, name.qualifier)
    except ShipsafeError as error:
        return (Chain(subject=f"{subject}:{name.qualifier}", links=(not_looked(live_links.ALIAS, error),)),)
    if alias is None:
        sentence = f"There is no alias {name.qualifier} of a function {name.name} in {site.place}, so that nothing could be looked at."
        link = unanswered(live_links.ALIAS, sentence, remedy="Check the names, the Region (--region) and the credentials.")
        return (Chain(subject=f"{subject}:{name.qualifier}", links=(link,)),)
    return _of_alias(site, name.name, subject, alias)


def _all(site: Site, name: str, subject: str) -> tuple[Chain, ...]:
    """`$LATEST` and every alias."""
    latest = verify_version(site, name, LATEST, f"{subject}:{LATEST}")
    if latest.running is None:
        return (latest.chain,)
    try:
        aliases = site.looks.aliases(name)
    except ShipsafeError as error:
        unlisted = Chain(subject=f"{subject} aliases", links=(not_looked(live_links.ALIAS, error),))
        return _with_layers(latest, latest.chain, (unlisted,))
    return _with_layers(latest, latest.chain, [chain for alias in aliases for chain in _of_alias(site, name, subject, alias)])


def _of_alias(site: Site, name: str, subject: str, alias: Alias) -> tuple[Chain, ...]:
    """The chain of an alias, which is that of its main version, and those of the versions beside it."""
    main = verify_version(site, name, alias.version, f"{subject}:{alias.name}")
    others = {version: verify_version(site, name, version, f"{subject}:{version}") for version in alias.weights}
    chains = {version: one.chain for version, one in others.items()}
    link = alias_link(name, alias, chains, {version: one.artifact for version, one in {alias.version: main, **others}.items()})
    beside = [chain for one in others.values() for chain in (one.chain, *one.layers)]
    return _with_layers(main, replace(main.chain, links=(*main.chain.links, link)), beside)


def _with_layers(version: Version, chain: Chain, others: Sequence[Chain] = ()) -> tuple[Chain, ...]:
    return (chain, *others, *version.layers)
