"""The sentences that every form of a verification shares."""

from shipsafe.errors import ExitCode
from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.reports.escape import short
from shipsafe.reports.tally import count

_SENTENCE = 1000  # characters of one text from outside
_VALUE = 500
_BREAKS = {
    Hold.BROKEN: "is broken at",
    Hold.UNANSWERED: "could not be verified at",
    Hold.DISALLOWED: "is not allowed at",
}


def first_sentence(verification: Verification) -> str:
    """What a person reads first: that all holds, or the first link that decides how it ends, whole."""
    found = verification.first_broken
    if found is not None:
        chain, link = found
        return f"{name(chain.subject)} {_BREAKS[link.hold]} `{link_name(link)}`{_where(chain, link)}: {whole(link)}"
    empty = next((chain for chain in verification.chains if chain.exit_code is ExitCode.INTEGRITY), None)
    if empty is not None:
        return f"Nothing of {name(empty.subject)} was looked at, so that nothing is proven."
    if not verification.chains:
        return "There was nothing to verify, so that nothing is proven."
    return _all_hold(verification)


def whole(link: Link) -> str:
    """The sentence of a link with both values and what to do."""
    parts = [sentence(link.sentence), values(link), sentence(link.remedy)]
    return " ".join(part for part in parts if part)


def values(link: Link) -> str:
    """`Expected X, found Y.`, or "" where the link has none."""
    if link.expected and link.found:
        return f"Expected {value(link.expected)}, found {value(link.found)}."
    if link.expected or link.found:
        return f"Expected {value(link.expected)}." if link.expected else f"Found {value(link.found)}."
    return ""


def last_line(verification: Verification) -> str:
    """The exit code, in words."""
    meanings = {
        ExitCode.PASS: "every link that was asked for holds",
        ExitCode.FINDINGS: "nothing was tampered with, and today's policy does not allow it",
        ExitCode.INCOMPLETE: "not everything could be looked at",
        ExitCode.INTEGRITY: "the chain is broken",
    }
    code = verification.exit_code
    proven = verification.first_broken is not None or code is ExitCode.PASS
    return f"Exit {int(code)}: {meanings[code] if proven else 'nothing is proven'}."


def policy(verification: Verification) -> str:
    """What the chains were held against."""
    return f"policy: {sentence(verification.policy or 'the preset alone')} ({value(verification.policy_digest)})"


def name(text: str) -> str:
    """A name from outside; never empty."""
    return short(text, 200) or "-"


def link_name(link: Link) -> str:
    """The id of a link."""
    return short(link.id, 40) or "-"


def value(text: str) -> str:
    """A value from outside."""
    return short(text, _VALUE)


def sentence(text: str) -> str:
    """A sentence that may hold texts from outside."""
    return short(text, _SENTENCE)


def _where(chain: Chain, link: Link) -> str:
    """The file that a sentence calls "it", unless that was named."""
    place = value(str(link.location)) if link.location else ""
    return f" ({place})" if place and place not in f"{name(chain.subject)} {link.sentence}" else ""


def _all_hold(verification: Verification) -> str:
    links = [link for chain in verification.chains for link in chain.links]
    held = count(sum(link.hold is Hold.HELD for link in links), "link")
    notes = len(verification.notes) + sum(len(link.notes) for link in links)
    more = f", {count(notes, 'note')}" if notes else ""
    if len(verification.chains) == 1:
        return f"The chain of {name(verification.chains[0].subject)} holds: {held}{more}."
    return f"All {len(verification.chains)} chains hold: {held}{more}."


def links_by_hold(chain: Chain) -> str:
    """`8 held, 1 broken`."""
    numbers = [(sum(link.hold is hold for link in chain.links), hold) for hold in Hold]
    return ", ".join(f"{number} {WORDS[hold]}" for number, hold in numbers if number) or "no links"


WORDS = {
    Hold.HELD: "held",
    Hold.BROKEN: "broken",
    Hold.UNANSWERED: "unanswered",
    Hold.DISALLOWED: "not allowed",
    Hold.NOT_ASKED: "not asked",
}
