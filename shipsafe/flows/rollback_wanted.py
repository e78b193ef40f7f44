"""Which alias goes back, and where to: what was named, else what the tags remember of the last deployment."""

from shipsafe.adapters.aws.functions import LATEST, Alias, FunctionName
from shipsafe.deploy.lead import shown
from shipsafe.deploy.marks import Before, Marks, Phase
from shipsafe.deploy.resume import arrived, on_its_way
from shipsafe.errors import ConfigError

_MOST_NAMED = 10  # versions or aliases to choose from


def alias_meant(asked: FunctionName, found: tuple[Alias, ...], said: str) -> Alias:
    """The alias that is meant: the one that is named, the policy's, or the only one.

    Args:
        asked: the function, with or without its alias.
        found: its aliases.
        said: the alias that the policy names, "" for none.

    Raises:
        ConfigError: nobody says which, or there is none of that name.
    """
    name = asked.qualifier or said
    if name == LATEST or name.isdecimal():
        what = f"{asked.text} is a version, and an alias is what goes back."
        raise ConfigError(what, remedy=f"Write --rollback {asked.name}:ALIAS --to VERSION.")
    if not name and len(found) == 1:
        return found[0]
    for one in found:
        if one.name == name:
            return one
    there = f"There are: {', '.join(one.name for one in found[:_MOST_NAMED])}." if found else "It has none: deploy the release before."
    what = f"Function {asked.name} has no alias {name}." if name else f"Nobody says which alias of function {asked.name} goes back."
    raise ConfigError(what, remedy=there)


def led_before(
    asked: FunctionName, now: Alias, earlier: Marks | None, versions: list[str], to: str
) -> tuple[Before, str, Marks | None]:  # fmt: skip
    """Where the alias is to lead, why, and the marks of what is taken back with it.

    Args:
        asked: the function.
        now: the alias as it leads.
        earlier: the marks of the last deployment of this alias, or None.
        versions: that are published.
        to: the version that was named, "" for none.

    Raises:
        ConfigError: there is no such version, or nobody knows where it led.
    """
    newest = ", ".join(sorted(versions, key=int, reverse=True)[:_MOST_NAMED]) or "none"
    if to:
        if to not in versions:
            raise ConfigError(f"Function {asked.name} has no version {to[:40]!r}.", remedy=f"The newest are: {newest}.")
        return Before(alias=now.name, version=to), "It was named.", None
    if earlier is not None and not earlier.settled and _stands(earlier, now):
        return earlier.before, f"It led there before the deployment of {earlier.began:%Y-%m-%d %H:%M} UTC, which nobody ended.", earlier
    if earlier is not None and earlier.phase is Phase.DONE and arrived(earlier, now) and earlier.before.version in versions:
        return earlier.before, f"It led there before the deployment of {earlier.began:%Y-%m-%d %H:%M} UTC.", None
    what = f"Nobody remembers where alias {now.name} of function {asked.name} led before: it leads to {shown(now)}."
    raise ConfigError(what, remedy=f"Name a version with --to; the newest are: {newest}.")


def _stands(marks_: Marks, now: Alias) -> bool:
    """Whether the alias stands at a step of what was left, so that there is a way back (an alias that was new stays)."""
    return marks_.before.leads(now) or on_its_way(marks_, now) or (arrived(marks_, now) and bool(marks_.before.version))
