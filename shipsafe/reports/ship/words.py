"""The sentences that all forms of a `ship` report share."""

from shipsafe.errors import ExitCode
from shipsafe.model.deployment import Ending
from shipsafe.model.ship import Shipped, ShippedFunction, Went
from shipsafe.reports.escape import short
from shipsafe.reports.tally import count

_NAME = 200
_SENTENCE = 1000
_DIGEST = 8  # hex digits that tell two releases apart for a person
_LIVE = (Ending.DEPLOYED, Ending.UNCHANGED)


def last_line(shipped: Shipped) -> str:
    """What came of all of it, and the exit code: the last line of every form."""
    code = int(shipped.exit_code)
    ended = shipped.ended
    if ended is None:
        live = sum(one.ending in _LIVE for one in shipped.functions)
        handed = sum(one.ending is Ending.HANDED_OVER for one in shipped.functions)
        parts = [f"{count(live, 'function')} {'runs' if live == 1 else 'run'} what was audited and signed"] if live else []
        parts += [f"{handed} handed over"] if handed else []
        under = " OVERRIDDEN: somebody answers for what the policy does not allow." if shipped.overridden else ""
        return f"Shipped: {', '.join(parts) or 'nothing'}.{under} exit {code}"
    if ended.went in (Went.PLANNED, Went.DECLINED):
        return f"Ended after the plan of {ended.leg}: nothing more was changed. exit {code}"
    back = [one for one in shipped.functions if one.ending is Ending.ROLLED_BACK]
    if back:
        return f"Rolled back: callers of {count(len(back), 'function')} reach what they reached before. exit {code}"
    again = " When that is put right, run the same command with --resume: what is done is not done again." if _may_go_on(shipped) else ""
    return f"Stopped at {ended.leg}.{again} exit {code}"


def _may_go_on(shipped: Shipped) -> bool:
    """Whether the same release can go on: what was built passed, and is not gone with a sandbox."""
    return bool(shipped.release) and not shipped.sandbox and shipped.exit_code not in (ExitCode.FINDINGS, ExitCode.INTEGRITY)


def name(text: str) -> str:
    """A name from outside."""
    return short(text, _NAME)


def sentence(text: str) -> str:
    """A sentence from outside."""
    return short(text, _SENTENCE)


def where(one: ShippedFunction) -> str:
    """`orders:live`, or `orders` where calls reach `$LATEST`."""
    return name(f"{one.function}:{one.alias}" if one.alias else one.function)


def version(one: ShippedFunction) -> str:
    """`6 -> 7`, `7`, or what it stayed at."""
    if one.ending is Ending.ROLLED_BACK:
        return f"{one.before or 'none'} (not {one.version or 'a new one'})"
    return " -> ".join(dict.fromkeys(filter(None, (one.before, one.version)))) or "$LATEST"


def digest(one: ShippedFunction) -> str:
    """The beginning of the signed zip's SHA-256."""
    return name(one.sha256[:_DIGEST])


def signer(one: ShippedFunction) -> str:
    """Name and version of the profile, from its ARN."""
    return name(one.signer.partition("/signing-profiles/")[2] or one.signer)


def profile(one: ShippedFunction) -> str:
    """The profile's name, for a narrow screen: `sign` says its version, and so does every report."""
    return signer(one).partition("/")[0]


def verdict(one: ShippedFunction) -> str:
    """What became of it, and what was said of it."""
    return ", ".join(filter(None, (name(one.verdict), str(one.ending) if one.ending is not Ending.DEPLOYED else "")))
