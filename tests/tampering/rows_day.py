"""What another day changes, where nothing was tampered with: the clock, advisories, waivers, gates."""

from datetime import UTC, datetime, timedelta

from tests.tampering.envelopes import GATES, Document
from tests.tampering.table import Group
from tests.tampering.trial import Trial, Words
from tests.tampering.world import advisory

CLOCK = Group("The clock of whoever verifies")
POLICY = Group("Today's policy")


def _clock(kind: str, code: int, done: str, days: float, max_age: str = "30d") -> None:
    def act(trial: Trial) -> Words:
        today = datetime.now(UTC).date()
        trial.policy(lambda text: text.replace("date = 2026-11-01", f"date = {today}").replace('max-age = "off"', f'max-age = "{max_age}"'))
        trial.clock(timedelta(days=days))
        return "verify", trial.save(trial.world.signed["Pay"]), "--release", "dist"

    act.__doc__ = done
    CLOCK(kind, code)(act)


_clock("right", 0, "The clock is right, and the advisories are of today.", 0)
_clock("a day ahead", 0, "The clock is a day ahead.", 1)
_clock("a day behind", 0, "The clock is a day behind: advisories and signature seem to be of tomorrow.", -1)
_clock("a day ahead, for a strict policy", 4, "The clock is a day ahead, and the policy takes advisories of at most a day.", 2, "1d")
_clock("a year ahead", 4, "The clock is a year ahead: no advisories are of these days.", 365)
_clock("a year behind", 4, "The clock is a year behind: what is verified was signed in the future.", -365)


@POLICY("a new advisory", 1)
def _(trial: Trial) -> Words:
    """An advisory about a distribution in Pay became known since it was released."""
    advisory(trial.root, "PYSEC-2026-2", "rates")
    return "verify", "dist"


@POLICY("a waiver that expired", 4)
def _(trial: Trial) -> Words:
    """The waiver that Pay was released under has expired: again nobody knows where a distribution came from."""
    trial.policy(lambda text: text.replace("expires = 2099-12-31", "expires = 2026-01-31"))
    return "verify", "dist"


@POLICY("a gate that is newly required", 4)
def _(trial: Trial) -> Words:
    """The policy requires lint, which neither builder nor signer was asked for when Pay was released."""

    def forget(document: Document) -> None:
        outcomes = document["predicate"]["outcomes"]
        document["predicate"]["outcomes"] = [one for one in outcomes if one["gate"] != "lint"]

    trial.restate(GATES, forget)
    return "verify", "dist"
