"""The links of a chain over files, in their order, and how an error becomes one.

Each id is the same in every chain; docs/guides/verify.md says what each holds against what.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shipsafe.errors import IntegrityError, ShipsafeError
from shipsafe.model.chain import Hold, Link
from shipsafe.model.location import Location

ZIP = "zip"
CONTENTS = "contents"
BUNDLE = "bundle"
SBOM = "sbom"
PROVENANCE = "provenance"
GATES = "gates"
VERDICT = "verdict"
SIGNING_RECORD = "signing-record"
AWS_SIGNATURE = "aws-signature"
SIGNED_CONTENTS = "signed-contents"
_CLOCKS = timedelta(days=2)  # how far clocks may be apart
ORDER = (ZIP, CONTENTS, BUNDLE, SBOM, PROVENANCE, GATES, VERDICT, SIGNING_RECORD, AWS_SIGNATURE, SIGNED_CONTENTS)


def held(name: str, sentence: str, *, notes: Iterable[str] = ()) -> Link:
    """A link that was looked at, and is as it should be."""
    return Link(id=name, hold=Hold.HELD, sentence=sentence, notes=tuple(notes))


def not_asked(name: str, reason: str) -> Link:
    """A link that does not apply here."""
    return Link(id=name, hold=Hold.NOT_ASKED, sentence=reason)


def unanswered(name: str, sentence: str, *, remedy: str = "") -> Link:
    """A link that nobody could look at."""
    return Link(id=name, hold=Hold.UNANSWERED, sentence=sentence, remedy=remedy)


def broken(name: str, sentence: str, *, expected: str = "", found: str = "", remedy: str = "", path: str | None = None) -> Link:
    """A link that does not hold, with both values where they differ."""
    where = Location(path=path) if path else None
    return Link(id=name, hold=Hold.BROKEN, sentence=sentence, expected=expected, found=found, remedy=remedy, location=where)


def of_error(name: str, error: ShipsafeError) -> Link:
    """What went wrong, as a link: whatever is no question of integrity is one that nobody could answer."""
    hold = Hold.BROKEN if isinstance(error, IntegrityError) else Hold.UNANSWERED
    where = Location(path=error.path, line=error.line) if error.path else None
    return Link(id=name, hold=hold, sentence=error.what, remedy=error.remedy, location=where)


def too_early(name: str, signed_at: datetime, now: datetime) -> Link | None:
    """The link of what was signed after the time that this machine's clock shows; None where clocks may be as far apart."""
    if signed_at - now <= _CLOCKS:
        return None
    sentence = f"It was signed on {signed_at:%Y-%m-%d}, and this machine's clock says {now:%Y-%m-%d}."
    return unanswered(name, sentence, remedy="Set the clock, and run this again.")
