"""One rich run in its three variants, with names as hostile as a package or a template can make them."""

from dataclasses import replace
from datetime import date

from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.artifact import Artifact
from shipsafe.model.finding import Effect, Finding, Persona, Rule
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Waiver
from shipsafe.model.record import RunRecord
from shipsafe.model.severity import Severity
from shipsafe.model.verdict import Decision, Unanswered, Verdict, Waived, WaiverNews, WaiverNote

ORDERS, BILLING, LAYER, IMAGE = "function:Orders", "function:Shop.Billing", "layer:Common", "function:Picture"
HOSTILE = "ev\x1b[31mil\u202e |`<b>` @org/team ::error::x\r\n::add-mask::y ![p](http://evil.example/p.png) ##[error]z %0A"

RULES = (
    Rule(
        id="dependencies/malicious",
        severity=Severity.CRITICAL,
        summary="A distribution is known to be malicious.",
        remedy="Remove it, and change every secret that the machine that installed it has seen.",
        why="It runs its author's code with the function's role.",
    ),
    Rule(
        id="dependencies/unaudited",
        severity=Severity.MEDIUM,
        summary="Nobody knows whether a distribution has advisories.",
        remedy="Declare it first-party, or take it from PyPI.",
        why="Looking it up found nothing because it is not there, not because it is safe.",
        effect=Effect.INCOMPLETE,
    ),
    Rule(
        id="dependencies/vulnerable",
        severity=Severity.HIGH,
        summary="A distribution has a known vulnerability.",
        remedy="Upgrade it to a fixed version.",
        why="Known holes are the first that are tried.",
        bad="requests==2.19.0\n",
        good="requests==2.32.4\n",
        references=("https://osv.dev",),
    ),
    Rule(
        id="layers/unpinned",
        severity=Severity.HIGH,
        summary="A layer may change between two deploys.",
        remedy="Name a version.",
        why="Whoever publishes the layer decides what runs.",
        bad="Layers:\n  - !Ref LayerArn",
        good="Layers:\n  - arn:aws:lambda:eu-west-1:111122223333:layer:common:7",
        references=("https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",),
    ),
    Rule(
        id="lint/B602",
        severity=Severity.HIGH,
        summary="A shell is started.",
        remedy="Pass a list, without a shell.",
        why="Text becomes commands.",
        bad="```\nsubprocess.run(text, shell=True)\n```",
    ),
    Rule(
        id="package/startup-hook",
        severity=Severity.LOW,
        summary="A file runs at every start.",
        remedy="Leave it out.",
        why="Nobody reads it.",
        persona=Persona.PEDANTIC,
    ),
)


def _vulnerable(subject: str) -> Finding:
    return Finding(
        rule="dependencies/vulnerable",
        subject=subject,
        message="requests 2.19.0 sends credentials to another host when it is redirected.",
        remedy="Upgrade requests to 2.20.0.",
        severity=Severity.HIGH,
        location=Location(path="src/orders & more/requirements.txt", line=12),
        key="requests",
        advisory="PYSEC-2018-28",
        aliases=("CVE-2018-18074", "GHSA-x84v-xcm2-53pg"),
        package="requests",
        version="2.19.0",
        fixed_versions=("2.20.0",),
        score=7.5,
        path=("our-client", "requests"),
        references=("https://osv.dev/vulnerability/PYSEC-2018-28",),
    )


MALICIOUS = Finding(
    rule="dependencies/malicious",
    subject=ORDERS,
    message=f"{HOSTILE} 1.0 steals credentials.",
    remedy="Remove it.",
    severity=Severity.CRITICAL,
    location=Location(path="src/requirements,a:b.txt", line=3, column=1),
    key="evil",
    advisory="MAL-2026-1",
    package="evil",
    version="1.0",
)
SHELL = Finding(
    rule="lint/B602",
    subject=ORDERS,
    message="subprocess is called with shell=True.",
    remedy="Pass a list of arguments.",
    severity=Severity.HIGH,
    location=Location(path="src/app.py", line=40, column=5),
    key="src/app.py subprocess.run(x, shell=True)",
    confidence="medium",
)
SUPPRESSED = replace(
    SHELL, severity=Severity.LOW, location=Location(path="src/app.py", line=3), key="nosec", suppressed="# nosec B602 at line 3"
)
BELOW = replace(SHELL, rule="lint/B101", severity=Severity.LOW, key="assert", message="assert is removed by -O.", location=None)
OBSERVED = Finding(
    rule="layers/unpinned",
    subject=BILLING,
    message="!Ref LayerArn has no fixed value.",
    remedy="Give it a version.",
    severity=Severity.HIGH,
    location=Location(path="template.yaml", line=31),
    key="LayerArn",
)
WAIVED = Finding(
    rule="package/startup-hook",
    subject=LAYER,
    message="distutils-precedence.pth runs at every start.",
    remedy="Leave setuptools out.",
    severity=Severity.LOW,
    location=Location(path="/outside/hook.pth"),
    key="distutils-precedence.pth",
)
UNSCORED = replace(
    _vulnerable(BILLING),
    advisory="PYSEC-2026-9",
    aliases=(),
    severity=Severity.UNSCORED,
    score=None,
    fixed_versions=(),
    path=(),
)
UNAUDITED = Finding(
    rule="dependencies/unaudited",
    subject=BILLING,
    message="acme-auth 1.0 came from an index other than PyPI, so nobody knows of advisories.",
    remedy="Declare acme-* in first-party.",
    severity=Severity.MEDIUM,
    location=Location(path="src/billing/uv.lock", line=88),
    key="acme-auth",
    package="acme-auth",
    version="1.0",
    effect=Effect.INCOMPLETE,
)
WAIVER = Waiver(
    target="package/startup-hook",
    subject="Common",
    reason="Needed until the layer is rebuilt | see #12",
    owner="alice",
    expires=date(2027, 1, 31),
    location=Location(path="shipsafe.toml", line=20),
)
OLD_WAIVER = Waiver(target="PYSEC-2018-28", subject="*", reason="Not reachable.", owner="bob", expires=date(2026, 11, 1))

ARTIFACTS = tuple(
    Artifact(
        name=subject.partition(":")[2],
        subject=subject,
        path=f"{subject.partition(':')[2]}.zip",
        sha256=digit * 64,
        code_sha256=f"{digit * 42}o=",
        content_digest=f"sha256:{digit * 64}",
        size=1_400_000,
        sbom=f"{subject.partition(':')[2]}.cdx.json",
        sbom_sha256=digit * 64,
    )
    for subject, digit in ((ORDERS, "a"), (LAYER, "b"))
)
GATES = ("dependencies", "layers", "lint", "package", "sbom")


def _outcomes(*, feed: bool, findings: tuple[Finding, ...]) -> tuple[Outcome, ...]:
    outcomes = []
    for subject in (ORDERS, BILLING, LAYER):
        for gate in GATES:
            found = [finding for finding in findings if finding.subject == subject and finding.rule.startswith(f"{gate}/")]
            if gate == "dependencies" and not feed:
                outcomes.append(Outcome.unanswered(gate, subject, "The snapshot is 9 days old. Run `shipsafe advisories pull`.", found))
            elif gate == "layers" and subject == LAYER and not feed:
                outcomes.append(Outcome.unanswered(gate, subject, "The gate could not read it."))
            else:
                evidence = {"distributions": 4, "source": {"kind": "folder"}} if gate == "dependencies" else {}
                notes = ("torch 2.1+cpu was looked up as 2.1.",) if gate == "dependencies" and subject == ORDERS else ()
                outcomes.append(Outcome.answered(gate, subject, found, notes=notes, evidence=evidence))
    image = f"{IMAGE.partition(':')[2]} is a container image, which Lambda cannot code-sign. Ship it as a zip."
    return (*outcomes, *(Outcome.not_asked(gate, IMAGE, image) for gate in GATES))


def record(decision: Decision) -> RunRecord:
    """A PASS, a FAIL or an INCOMPLETE run of the same project."""
    fails = decision is Decision.FAIL
    blocking = (MALICIOUS, _vulnerable(ORDERS), _vulnerable(LAYER), SHELL) if fails else ()
    allowed = (BELOW, SUPPRESSED, OBSERVED, UNSCORED)
    unsettled = (UNAUDITED,) if decision is Decision.INCOMPLETE else ()
    outcomes = _outcomes(feed=decision is not Decision.INCOMPLETE, findings=(*blocking, *allowed, *unsettled, WAIVED))
    missing = tuple(
        Unanswered(gate=outcome.gate, subject=outcome.subject, reason=outcome.reason)
        for outcome in outcomes
        if outcome.state == "unanswered" and outcome.gate != "layers"
    )
    if unsettled:
        missing += (Unanswered(gate="dependencies", subject=BILLING, reason=UNAUDITED.message),)
    expired = WaiverNote(news=WaiverNews.EXPIRED, waiver=OLD_WAIVER, message="The waiver of bob for PYSEC-2018-28 ended on 2026-11-01.")
    return RunRecord(
        command="build",
        project="orders",
        prefix="services/orders",
        template="template.yaml",
        policy="shipsafe.toml",
        policy_digest=f"sha256:{'c' * 64}",
        verdict=Verdict(
            decision=decision,
            blocking=blocking,
            allowed=allowed,
            waived=(Waived(finding=WAIVED, waiver=WAIVER),),
            unanswered=missing,
            not_asked=tuple(outcome for outcome in outcomes if outcome.state == "not-asked"),
            waiver_notes=(expired,) if fails else (),
            policy_digest=f"sha256:{'c' * 64}",
        ),
        outcomes=outcomes,
        artifacts=ARTIFACTS if decision is Decision.PASS else (),
        advisories=AdvisoryInfo(source="folder", label="example data", digest=f"sha256:{'d' * 64}", records=12),
        tools={"shipsafe": "0.1.0", "uv": "0.13.8"},
        modes={gate: "observe" if gate == "layers" else "enforce" for gate in GATES},
        rules=RULES,
        hints=("Another template lies below the root: legacy/template.yaml.",),
    )


DECISIONS = (Decision.PASS, Decision.FAIL, Decision.INCOMPLETE)
