"""A verification as SARIF 2.1.0 for code scanning: a rule for each link id, a result for each link that does not hold.

`executionSuccessful` is false when something could not be looked at; what could not is a result of its own as well, because GitHub takes
what a run does not mention for fixed.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import PurePosixPath

from shipsafe.model.chain import Chain, Hold, Link, Verification
from shipsafe.model.location import Location
from shipsafe.reports.chains import words
from shipsafe.reports.sarif_parts import inside, log, notification, one_line, uri
from shipsafe.reports.strict_json import dump

_LEVELS = {Hold.BROKEN: "error", Hold.DISALLOWED: "error", Hold.UNANSWERED: "warning"}
_SCORES = {Hold.BROKEN: "9.5", Hold.DISALLOWED: "7.0", Hold.UNANSWERED: "5.5"}
_MOST = 5_000  # results of a run that GitHub shows
_WHY = (
    "A chain leads from what was audited to what runs. Where a link does not hold, what runs may not be what was audited; "
    "docs/guides/verify.md says what each link holds against what."
)


def write(verification: Verification) -> str:
    """The verification as one run."""
    wrong = [(chain, link) for chain in verification.chains for link in chain.links if link.hold in _LEVELS]
    wrong.sort(key=lambda pair: list(_LEVELS).index(pair[1].hold))
    rules = list(dict.fromkeys(link.id for _, link in wrong[:_MOST]))
    run = {
        "tool": {"driver": {"name": "shipsafe", "rules": [_rule(one, [link for _, link in wrong if link.id == one]) for one in rules]}},
        "automationDetails": {"id": "shipsafe/verify/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(verification, len(wrong) - _MOST)],
        "results": [_result(verification, chain, link, rules.index(link.id)) for chain, link in wrong[:_MOST]],
    }
    return dump(log([run]))


def _rule(name: str, links: list[Link]) -> dict[str, object]:
    """The rule of a link. GitHub shows one severity for all results of a rule: that of the worst."""
    worst = links[0].hold
    said = one_line(f"The link {name} of the chain from source to what runs does not hold.")
    return {
        "id": _rule_id(name),
        "name": _rule_id(name),
        "shortDescription": {"text": said},
        "fullDescription": {"text": one_line(f"{said} {_WHY}")},
        "help": {"text": one_line(_WHY)},
        "defaultConfiguration": {"level": _LEVELS[worst]},
        "properties": {"precision": "high", "security-severity": _SCORES[worst], "tags": ["security", "supply-chain"]},
    }


def _rule_id(name: str) -> str:
    return one_line(f"verify/{name}", 255)


def _result(verification: Verification, chain: Chain, link: Link, rule_index: int) -> dict[str, object]:
    facts = {"subject": words.name(chain.subject), "hold": link.hold, "expected": link.expected, "found": link.found}
    return {
        "ruleId": _rule_id(link.id),
        "ruleIndex": rule_index,
        "level": _LEVELS[link.hold],
        "message": {"text": one_line(f"{words.name(chain.subject)}: {words.whole(link)}")},
        "locations": [_place(verification, link.location)],
        "partialFingerprints": {"primaryLocationLineHash": sha256(f"{chain.subject}\0{link.id}".encode(errors="replace")).hexdigest()},
        "properties": {key: words.value(value) for key, value in facts.items() if value},
    }


def _place(verification: Verification, place: Location | None) -> dict[str, object]:
    """Where GitHub shows it; what has no file in the checkout stands at the policy."""
    if place is None or not inside(place.path):
        policy = verification.policy or ""
        place = Location(path=policy if inside(policy) else "shipsafe.toml")
    region = {"startLine": place.line or 1}
    if place.line and place.column:
        region["startColumn"] = place.column
    return {"physicalLocation": {"artifactLocation": {"uri": uri(PurePosixPath(place.path))}, "region": region}}


def _invocation(verification: Verification, left_out: int) -> dict[str, object]:
    unanswered = [(chain, link) for chain in verification.chains for link in chain.links if link.hold is Hold.UNANSWERED]
    said = [notification("unanswered", "error", f"{chain.subject}: {link.id}: {words.whole(link)}") for chain, link in unanswered[:_MOST]]
    said += list(_remarks(verification))
    if left_out > 0:
        said.append(notification("left-out", "warning", f"{left_out} results left out; the JSON report has all."))
    # A run without a single chain has not looked at anything either.
    successful = not unanswered and bool(verification.chains)
    invocation: dict[str, object] = {"executionSuccessful": successful, "exitCode": int(verification.exit_code)}
    if said:
        invocation["toolExecutionNotifications"] = said
    return invocation


def _remarks(verification: Verification) -> Iterator[dict[str, object]]:
    if not verification.chains:
        yield notification("nothing", "error", words.first_sentence(verification))
    for chain in verification.chains:
        if not any(link.hold is not Hold.NOT_ASKED for link in chain.links):
            yield notification("nothing", "error", f"Nothing of {chain.subject} was looked at, so that nothing is proven.")
        for link in chain.links:
            for note in link.notes:
                yield notification("note", "note", f"{chain.subject}: {link.id}: {note}")
    for note in verification.notes:
        yield notification("note", "note", note)
