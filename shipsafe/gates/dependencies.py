"""No distribution that ships has a known vulnerability, and none ships that nobody could look up.

pip-audit's engine is asked about what is in the staged tree, not about what a file says should be in it. A distribution that no feed
can know (from another index, or found lying in the code) is unaudited, which is not the same as clean. Which index a distribution came
from, since when it is there, and what for, stands in `packages`.

Bad:  jinja2==3.1.2
Good: jinja2==3.1.6

Reference: pip-audit; the OSV schema.
"""

import re
from collections.abc import Iterable, Sequence

from shipsafe.advisories.findings import MALICIOUS, UNAUDITED, VULNERABLE, findings_of, may_be_asked, unaudited
from shipsafe.errors import IncompleteError, ShipsafeError
from shipsafe.gates.packages.confusion import CONFUSION, confused, why_unknown
from shipsafe.gates.packages.too_new import TOO_NEW, ask_ages, cooldown
from shipsafe.gates.packages.unused import UNUSED, unused
from shipsafe.gates.prebuilt import UNPROVEN, unidentified, unproven
from shipsafe.model.advisory import Advisories, Answer, Pin
from shipsafe.model.finding import Finding
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.tree import Distribution, Entry, Origin, Source, StagedTree
from shipsafe.packing.indexes import is_pypi

_OLD_FORMAT = re.compile(r"(?:^|/)(?P<name>[^/]+)\.(?:egg-info(?:/PKG-INFO)?|egg/EGG-INFO/PKG-INFO)$")


def run(inquiry: Inquiry) -> Outcome:
    """Ask about the distributions of one staged tree."""
    subject, policy, distributions = inquiry.subject.subject, inquiry.policy, inquiry.staged.distributions
    ours = [one for one in distributions if policy.is_first_party(one.name)]
    why = {id(one): why_unknown(one, policy) or ("" if one in ours else _why_unaudited(one, policy)) for one in distributions}
    findings = [unaudited(one, subject, why[id(one)]) for one in distributions if why[id(one)]]
    asked = [one for one in distributions if one not in ours and may_be_asked(one)]
    findings += _old_formats(inquiry.staged, subject)
    findings += [unaudited(one, subject, reason) for one, reason in unidentified(inquiry)]
    findings += unproven(inquiry.staged, inquiry.subject)
    findings += confused(inquiry)
    findings += unused(inquiry)
    ages = ask_ages(inquiry)
    findings += ages.findings
    findings += [unaudited(one, subject, reason, key=f"{one.name} upload") for one, reason in ages.unknown]
    notes = [f"{one.name} is first-party and was not looked up." for one in ours]
    evidence: dict[str, object] = {"distributions": len(distributions)}
    reasons = [ages.failure] if ages.failure else []
    if asked:
        try:
            advisories, answers = _ask(inquiry, asked)
        except IncompleteError as error:
            reasons.append(str(error))
        else:
            for one, answer in zip(asked, answers, strict=True):
                findings += findings_of(one, answer, subject)
                notes += [answer.note] if answer.note else []
            evidence |= {"asked": len(asked), "advisories": advisories.info.label}
    if reasons:
        return Outcome.unanswered("dependencies", subject, " ".join(reasons), findings, notes=notes)
    return Outcome.answered("dependencies", subject, findings, notes=notes, evidence=evidence)


def _ask(inquiry: Inquiry, asked: Iterable[Distribution]) -> tuple[Advisories, Sequence[Answer]]:
    """Look them up; what else was found stands, whether or not that can be done."""
    advisories = inquiry.advisories
    if advisories is None or isinstance(advisories, ShipsafeError):
        raise IncompleteError(str(advisories or "There is no source of advisories."))
    return advisories, advisories.ask([Pin(name=one.name, version=one.version or "") for one in asked])


def _old_formats(tree: StagedTree, subject: str) -> list[Finding]:
    """Metadata of setuptools' old formats in the code: a distribution without a `.dist-info`, of which nobody can say enough."""
    found: dict[str, Entry] = {}
    for entry in tree.entries:
        if entry.origin is Origin.CODE and (old := _OLD_FORMAT.search(entry.path)):
            found.setdefault(old["name"], entry)
    reason = "{} lies in the code without a .dist-info, so that nobody can say what it is and where it came from"
    bundled = (Distribution(name=name, version=None, source=Source.BUNDLED, location=entry.location) for name, entry in found.items())
    return [unaudited(one, subject, reason.format(one.name)) for one in bundled]


def _why_unaudited(one: Distribution, policy: Policy) -> str:
    """Why a feed's answer would not be about this distribution, or ""."""
    if one.source is Source.LOCAL:
        return ""  # the repository's own code, which lint is asked about; a feed that knows its name and version is heard all the same
    if not may_be_asked(one):
        return f"{one.name} has no version that advisories could name"
    if one.source is Source.BUNDLED:
        return f"{one.name} {one.version} {one.doubt or 'lies in the code, so that nobody can say where it came from'}"
    if one.source is Source.PREBUILT and one.index is None:
        return f"{one.name} {one.version} {one.doubt}" if one.doubt else ""  # that nothing proves it is a finding of its own
    if one.index is None:
        return f"{one.name} {one.version} came from an index that is not known"
    if not is_pypi(one.index, policy):
        return f"{one.name} {one.version} came from {one.index.partition('?')[0]}, which advisories do not cover"
    return ""


def _inputs(inquiry: Inquiry) -> object | None:
    """The advisories, and the day where age is asked for. A live service answers differently at any time."""
    advisories = inquiry.advisories
    if advisories is None or isinstance(advisories, ShipsafeError) or advisories.info.digest is None:
        return None
    today = str(inquiry.today) if cooldown(inquiry) else None
    return {"advisories": advisories.info.digest, "label": advisories.info.label, "today": today}


GATE = Gate(
    id="dependencies",
    title="Does anything that ships have a known vulnerability?",
    rules=(VULNERABLE, MALICIOUS, CONFUSION, TOO_NEW, UNAUDITED, UNPROVEN, UNUSED),
    run=run,
    python_only=True,
    needs_advisories=True,
    settings=("allow-sdist", "cooldown"),
    inputs=_inputs,
)
