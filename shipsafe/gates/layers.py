"""Every layer is one exact version, from a publisher that we trust.

A layer is code that runs inside the function with its rights, and it is not in the package that was audited. A version of a layer
never changes; a name without one can change between two deploys of the same commit.

Bad:  `arn:aws:lambda:eu-west-1:111122223333:layer:tools`
Good: `arn:aws:lambda:eu-west-1:111122223333:layer:tools:7`

Reference: AWS, "Managing Lambda dependencies with layers".
"""

import json
from functools import cache
from importlib.resources import files

from shipsafe.model.finding import Effect, Finding, Rule
from shipsafe.model.gate import Gate, Inquiry
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, LayerRef
from shipsafe.model.severity import Severity

_MOST = 5
_LAYERS = "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"
_OURS = ("${AWS::AccountId}",)

UNPINNED = Rule(
    id="layers/unpinned",
    severity=Severity.HIGH,
    summary="A layer is not pinned to one version.",
    remedy="Name the version at the end of the ARN, or give the parameter a fixed value in the policy.",
    why="Without a version, two deploys of one commit can run different code, and none of it was looked at. A parameter without a "
    "value, or an SSM parameter, is such a name: whoever can write it chooses the code.",
    bad="Layers:\n  - arn:aws:lambda:eu-west-1:111122223333:layer:tools",
    good="Layers:\n  - arn:aws:lambda:eu-west-1:111122223333:layer:tools:7",
    references=(_LAYERS,),
)
UNVERSIONED_AWSLAYER = Rule(
    id="layers/unversioned-awslayer",
    severity=Severity.HIGH,
    summary="A layer is named in the awslayer form, which has no version, account or region.",
    remedy="Name the layer version by its full ARN.",
    why="`arn:aws:lambda:::awslayer:NAME` is accepted by the API but documented nowhere: it says neither who published the code "
    "nor which version runs.",
    bad="Layers:\n  - arn:aws:lambda:::awslayer:AmazonLinux1703",
    good="Layers:\n  - arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:52",
    references=(_LAYERS,),
)
UNTRUSTED = Rule(
    id="layers/untrusted-publisher",
    severity=Severity.HIGH,
    summary="A layer is published by an account that nobody has said to trust.",
    remedy="Add the account to `accounts` (ours) or `[layers] publishers` in the policy, or make a copy of your own: "
    "`shipsafe layers vendor ARN`.",
    why="A layer runs with the function's rights and secrets. Accounts of AWS's own layers are known; every other one is a "
    "decision that somebody should have made.",
    bad="Layers:\n  - arn:aws:lambda:eu-west-1:999988887777:layer:handy-tools:3",
    good='[layers]\npublishers = ["999988887777"]  # handy-tools, reviewed by the platform team',
    references=(_LAYERS,),
)
TOO_MANY = Rule(
    id="layers/too-many",
    severity=Severity.HIGH,
    summary="A function uses more layers than Lambda takes.",
    remedy="Use at most five layers.",
    why="Lambda refuses a sixth layer, so the deploy fails after everything else has passed.",
    bad="Layers: [!Ref A, !Ref B, !Ref C, !Ref D, !Ref E, !Ref F]",
    good="Layers: [!Ref Common, !Ref Monitoring]",
    references=("https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",),
)
UNRESOLVED = Rule(
    id="layers/unresolved",
    severity=Severity.HIGH,
    summary="Which layer a function uses cannot be read from the template.",
    remedy="Give the value with --parameter-overrides or in the policy's [parameters], or write the ARN.",
    why="What cannot be read cannot be judged. The value comes from another stack or from something that exists only at deploy time.",
    bad="Layers:\n  - !ImportValue shared-layer",
    good="Layers:\n  - arn:aws:lambda:eu-west-1:111122223333:layer:shared:12",
    references=(_LAYERS,),
    effect=Effect.INCOMPLETE,
)


@cache
def known_publishers() -> dict[str, str]:
    """Account -> whose it is, for accounts of AWS that publish layers for everybody."""
    text = (files("shipsafe.gates") / "data" / "aws-layer-publishers.json").read_text(encoding="utf-8")
    document = json.loads(text)
    return {account: publisher["name"] for publisher in document["publishers"] for account in publisher["accounts"]}


def run(inquiry: Inquiry) -> Outcome:
    """Ask about the layers of one function."""
    function = inquiry.subject
    if not isinstance(function, Function):
        return Outcome.not_asked("layers", function.subject, f"{function.name} is a layer, and a layer uses no layers.")
    for unresolved in function.unresolved:
        if unresolved.field == "layers":
            return Outcome.unanswered("layers", function.subject, f"{unresolved.location or function.location}: {unresolved.reason}")
    findings = [finding for ref in function.layers for finding in _examine(ref, function, inquiry.policy)]
    if len(function.layers) > _MOST:
        message = f"{function.name} uses {len(function.layers)} layers; Lambda takes {_MOST}."
        findings.append(_finding(TOO_MANY, function, function.layers[_MOST], message, key="count"))
    pinned = sum(1 for ref in function.layers if ref.local or ref.version is not None)
    return Outcome.answered("layers", function.subject, findings, evidence={"layers": len(function.layers), "pinned": pinned})


def _examine(ref: LayerRef, function: Function, policy: Policy) -> list[Finding]:
    if ref.local:
        return []  # pinned by construction, and asked itself
    if ref.changeable:
        return [_finding(UNPINNED, function, ref, f"{ref.text} can change between two deploys: {ref.changeable.rstrip('.')}.")]
    if ref.arn is None:
        return [_finding(UNRESOLVED, function, ref, f"{ref.text} cannot be resolved: {ref.unresolved.rstrip('.')}.")]
    if ":awslayer:" in ref.arn:
        return [_finding(UNVERSIONED_AWSLAYER, function, ref, f"{ref.arn} names no version, account or region.")]
    found = []
    if ref.version is None:
        found.append(_finding(UNPINNED, function, ref, f"{ref.arn} names no version."))
    trusted = {*policy.accounts, *policy.publishers, *known_publishers(), *_OURS}
    if ref.account is None or ref.account not in trusted:
        who = f"account {ref.account}" if ref.account else "an account that the ARN does not name"
        found.append(_finding(UNTRUSTED, function, ref, f"{ref.arn} is published by {who}, which the policy does not trust."))
    return found


def _finding(rule: Rule, function: Function, ref: LayerRef, message: str, *, key: str | None = None) -> Finding:
    return Finding(
        rule=rule.id,
        subject=function.subject,
        message=message,
        remedy=rule.remedy,
        severity=rule.severity,
        location=ref.location or function.location,
        key=key or ref.arn or ref.text,
        effect=rule.effect,
        references=rule.references,
    )


GATE = Gate(
    id="layers",
    title="Is every layer one exact version from a publisher we trust?",
    rules=(UNPINNED, UNVERSIONED_AWSLAYER, UNTRUSTED, TOO_MANY, UNRESOLVED),
    run=run,
    needs_tree=False,
)
