"""What a source of advisories answered, as findings: of the gate that asks before a release, and of whoever asks again later."""

from packaging.version import Version

from shipsafe.model.advisory import Advisory, Answer
from shipsafe.model.finding import Effect, Finding, Rule
from shipsafe.model.severity import Severity
from shipsafe.model.tree import Distribution, Source

VULNERABLE = Rule(
    id="dependencies/vulnerable",
    severity=Severity.HIGH,
    summary="A distribution that ships has a known vulnerability.",
    remedy="Upgrade to a fixed version and lock again; where there is none, waive it with a reason, an owner and an end.",
    why="Advisories are public: whoever looks for functions to attack reads the same list. The severity is the highest CVSS score "
    "over all records of the advisory; one that nobody has rated is unscored, and the policy says what that means.",
    bad="jinja2==3.1.2",
    good="jinja2==3.1.6",
    references=("https://osv.dev", "https://github.com/pypa/advisory-database"),
)
MALICIOUS = Rule(
    id="dependencies/malicious",
    severity=Severity.CRITICAL,
    summary="A distribution that ships is an attack.",
    remedy="Remove it, find out where it ran, and replace every secret that it could read.",
    why="Malicious releases steal credentials when they are installed or imported. There is no fixed version of one.",
    bad="colourama==0.1.6",
    good="colorama==0.4.6",
    references=("https://github.com/ossf/malicious-packages",),
)
UNAUDITED = Rule(
    id="dependencies/unaudited",
    severity=Severity.MEDIUM,
    summary="Nobody could say whether a distribution has a known vulnerability.",
    remedy="Name it in `first-party` if it is yours, take it from PyPI, or waive it with a reason.",
    why="Advisories name distributions of PyPI. One of the same name from another index, or one that lies in the code, may be "
    "something else: to call it clean would be a guess.",
    bad="acme-billing, from https://packages.example.com/simple",
    good='first-party = ["acme-*"]',
    effect=Effect.INCOMPLETE,
)


def may_be_asked(one: Distribution) -> bool:
    """Whether advisories could name its version."""
    try:
        Version(one.version or "")
    except ValueError:  # InvalidVersion, or a number of more digits than Python reads
        return False
    return True


def findings_of(one: Distribution, answer: Answer, subject: str) -> list[Finding]:
    """What an answer about a distribution means for a function or layer."""
    found = [_vulnerable(one, advisory, subject) for advisory in answer.advisories]
    if answer.unaudited and one.source is not Source.LOCAL:
        found.append(unaudited(one, subject, f"{one.name} {one.version}: {answer.unaudited}"))
    return found


def _vulnerable(one: Distribution, advisory: Advisory, subject: str) -> Finding:
    rule = MALICIOUS if advisory.malicious else VULNERABLE
    other = next((alias for alias in advisory.aliases if alias.startswith("CVE-")), "")
    names = f"{advisory.id} ({other})" if other and other != advisory.id else advisory.id
    installed = Version(one.version or "0")  # a fix of an older branch fixes nothing here
    later = tuple(fixed for fixed in advisory.fixed_versions if Version(fixed) > installed)
    return Finding(
        rule=rule.id,
        subject=subject,
        message=f"{one.name} {one.version} has {names}: {advisory.summary.rstrip('.')}.",
        remedy=_remedy(one, advisory, later),
        severity=advisory.severity,
        location=one.location,
        key=one.name,
        advisory=advisory.id,
        aliases=advisory.aliases,
        package=one.name,
        version=one.version,
        fixed_versions=later,
        score=advisory.score,
        path=(*one.via, one.name),
        references=advisory.references,
    )


def _remedy(one: Distribution, advisory: Advisory, later: tuple[str, ...]) -> str:
    if advisory.malicious:
        return MALICIOUS.remedy
    through = f" (it comes with {one.via[0]})" if one.via else ""
    if not later:
        return f"No fixed version is known; replace {one.name}{through}, or waive it with a reason and an end."
    return f"Upgrade {one.name} to {later[0]} or later{through}."


def unaudited(one: Distribution, subject: str, reason: str, *, key: str = "") -> Finding:
    """That nobody could say whether a distribution has a known vulnerability, and why."""
    return Finding(
        rule=UNAUDITED.id,
        subject=subject,
        message=f"{reason.rstrip('.')}.",
        remedy=UNAUDITED.remedy,
        severity=UNAUDITED.severity,
        location=one.location,
        key=key or one.name,
        package=one.name,
        version=one.version,
        path=(*one.via, one.name),
        effect=UNAUDITED.effect,
    )
