"""Where the calls of an alias go: to one published version, or to two by weight, each of which must hold by itself."""

from collections.abc import Iterable, Mapping

from shipsafe.adapters.aws.functions import LATEST, Alias
from shipsafe.errors import ExitCode
from shipsafe.model.chain import Chain, Hold, Link
from shipsafe.verify import live_links
from shipsafe.verify.links import broken, held, unanswered

_FIX = "Point the alias at verified versions only, and find out who changed it."


def alias_link(function: str, alias: Alias, others: Mapping[str, Chain], artifacts: Mapping[str, str]) -> Link:
    """The link `alias`.

    Args:
        function: its name.
        alias: as Lambda tells of it.
        others: the chains of the versions beside the main one, by version. The main one's links stand in the alias's own chain.
        artifacts: what the code of each version was signed as, or "". Well signed code of another function is not what is called here.
    """
    if LATEST in (alias.version, *alias.weights):
        sentence = f"Alias {alias.name} of {function} leads to $LATEST: whoever updates the code changes what it runs."
        return broken(live_links.ALIAS, sentence, expected="published versions", found=LATEST, remedy=_FIX)
    shares = {alias.version: 1 - sum(alias.weights.values()), **alias.weights}
    said = ", ".join(f"{share:.0%} to version {version}" for version, share in shares.items())
    for version, chain in sorted(others.items(), key=lambda one: -one[1].exit_code):
        if chain.exit_code != ExitCode.PASS:
            return _fails(alias, version, chain, said)
    kinds = sorted({artifact for artifact in artifacts.values() if artifact})
    if len(kinds) > 1:
        found = ", ".join(f"version {version} runs {artifact}" for version, artifact in artifacts.items() if artifact)
        sentence = f"Alias {alias.name} of {function} leads to versions that run the code of different functions: {found}."
        return broken(live_links.ALIAS, sentence, expected="versions of one function", found=", ".join(kinds), remedy=_FIX)
    what = "published versions, each with links of its own" if others else "a published version"
    return held(live_links.ALIAS, f"Alias {alias.name} sends {said}: {what}.")


def _fails(alias: Alias, version: str, chain: Chain, said: str) -> Link:
    first = _first(chain.links, chain.exit_code)
    share = f"{alias.weights[version]:.0%}"
    why = f"{first.sentence}" if first else "nothing of it could be verified."
    if chain.exit_code is ExitCode.INCOMPLETE:
        sentence = f"Alias {alias.name} sends {share} of the calls to version {version}, which could not be looked at: {why}"
        return unanswered(live_links.ALIAS, sentence, remedy=first.remedy if first else "")
    sentence = f"Alias {alias.name} sends {share} of the calls to version {version}, whose chain does not hold: {why}"
    if chain.exit_code is ExitCode.FINDINGS:
        return Link(id=live_links.ALIAS, hold=Hold.DISALLOWED, sentence=sentence, remedy=first.remedy if first else "")
    return broken(live_links.ALIAS, sentence, expected="verified versions only", found=said, remedy=_FIX)


def _first(links: Iterable[Link], code: ExitCode) -> Link | None:
    return next((link for link in links if Chain(subject="", links=(link,)).exit_code == code), None)
