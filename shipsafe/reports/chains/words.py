"""The sentences that every form of a verification shares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shipsafe.errors import ExitCode
from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.reports.escape import short
from shipsafe.reports.tally import count

_SENTENCE = 1000  # characters of one text from outside
_VALUE = 500
_IDS = 8  # ids of links that a note names
_SIGNATURE = "aws-signature"  # the link of a zip, not of what runs
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
    chains = verification.chains
    links = [link for chain in chains for link in chain.links]
    held = count(sum(link.hold is Hold.HELD for link in links), "link")
    notes = len({*verification.notes, *(note for link in links for note in link.notes)})
    more = f", {count(notes, 'note')}" if notes else ""
    unsigned = sum(link.id == _SIGNATURE and link.hold is Hold.NOT_ASKED for link in links)
    if len(chains) == 1:
        hold = f"The chain of {name(chains[0].subject)} holds"
        return f"{hold} up to the unsigned zip; nothing of AWS was looked at: {held}{more}." if unsigned else f"{hold}: {held}{more}."
    if unsigned == len(chains):
        return f"All {len(chains)} chains hold up to the unsigned zips; nothing of AWS was looked at: {held}{more}."
    some = f"; {unsigned} of them up to an unsigned zip, for which nothing of AWS was looked at" if unsigned else ""
    return f"All {len(chains)} chains hold: {held}{more}{some}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A note that is told once: `links` have it, whose ids are `ids`; `subject` is that of the chain where one link alone has it."""

    text: str
    links: int
    ids: tuple[str, ...]
    subject: str


def remarks(chains: Iterable[Chain], *, told: Callable[[Chain], bool]) -> tuple[Remark, ...]:
    """The notes that more than one link has, and those of chains that are not `told` link by link, in their order."""
    having: dict[str, list[tuple[Chain, Link]]] = {}
    for chain in chains:
        for link in chain.links:
            for note in dict.fromkeys(link.notes):
                having.setdefault(note, []).append((chain, link))
    return tuple(
        Remark(text=note, links=len(those), ids=tuple(dict.fromkeys(link.id for _, link in those)), subject=those[0][0].subject)
        for note, those in having.items()
        if len(those) > 1 or not told(those[0][0])
    )


def remark(one: Remark) -> str:
    """A remark with the links that it concerns: `Nobody vouches for it. (12 links: sbom, gates)`."""
    if one.links == 1:
        return f"{sentence(one.text)} ({name(one.subject)}: {short(one.ids[0], 40) or '-'})"
    ids = ", ".join(short(each, 40) or "-" for each in one.ids[:_IDS])
    return f"{sentence(one.text)} ({one.links} links: {ids}{', ...' if len(one.ids) > _IDS else ''})"


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
