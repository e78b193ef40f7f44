"""What keeps enforcement as it is: a service control policy for the accounts, and statements for the roles that sign and that deploy.

    made = guardrails(policy)
    made.documents["service-control-policy"]     # IAM policy documents, ready to be attached

Code signing holds as long as nobody takes a configuration off a function, adds a publisher, or signs what nobody asked. Those are a handful
of API calls, and all of them can be denied. A deny counts whatever else allows: so each document denies, and none allows.

Sources: "Actions, resources, and condition keys for AWS Lambda" and "... for AWS Signer" (Service Authorization Reference); "Using code
signing with Lambda" (`lambda:CodeSigningConfigArn`); "Control access to Lambda function URLs" (`lambda:FunctionUrlAuthType`). A negated
condition also holds where its key is missing ("IAM JSON policy elements: Condition operators"), so that a function without a
configuration is denied as one with another is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy

SCP, SIGN, DEPLOY = "service-control-policy", "sign-role", "deploy-role"
_LARGEST_SCP = 5120  # characters: "Quotas and service limits for AWS Organizations"
_VERSION = "2012-10-17"
_SIGNING = ("signer:SignPayload", "signer:StartSigningJob")
_DEPLOYING = (
    "lambda:CreateAlias",
    "lambda:CreateFunction",
    "lambda:PublishVersion",
    "lambda:UpdateAlias",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
)
_CREATING = ("lambda:CreateFunction",)
_ATTACHING = ("lambda:PutFunctionCodeSigningConfig",)
_DETACHING = ("lambda:DeleteFunctionCodeSigningConfig",)
_CONFIGURING = (
    "lambda:CreateCodeSigningConfig",
    "lambda:DeleteCodeSigningConfig",
    "lambda:UpdateCodeSigningConfig",
    "signer:AddProfilePermission",
    "signer:CancelSigningProfile",
    "signer:PutSigningProfile",
    "signer:RemoveProfilePermission",
)
_OPENING = ("lambda:AddPermission", "lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """IAM policy documents by name, and what a person has to know of them, as sentences."""

    documents: Mapping[str, Document]
    remarks: tuple[str, ...]

    def text(self) -> str:
        """All of them, as one JSON object."""
        return json.dumps(self.documents, indent=2) + "\n"


_CODEDEPLOY = (
    "CodeDeploy moves aliases with the service role of its deployment group, which OnlyTheseDeploy denies: add that role to those that it "
    "lets, or name it at a [[deploy.stage]]."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What the policy names: ARNs of configurations, and of the roles that sign, deploy, break the glass (both), and guard all that."""

    configurations: tuple[str, ...]
    signers: tuple[str, ...]
    deployers: tuple[str, ...]
    glass: tuple[str, ...]
    guards: tuple[str, ...]


def guardrails(policy: Policy) -> Guardrails:
    """The documents for what a policy names. Asks nobody.

    Raises:
        ConfigError: the policy names no code-signing configuration.
    """
    named = _named(policy)
    if not named.configurations:
        raise ConfigError(
            "The policy names no code-signing configuration that functions could be held to.",
            remedy="`shipsafe bootstrap` prints it: write it as `configuration` of [enforce], or `code-signing-config` of the target.",
            path=policy.path,
        )
    documents = {SCP: _document(_for_accounts(named))}
    both = sorted({*named.signers} & {*named.deployers})
    if named.signers and not both:
        documents[SIGN] = _document([_deny("DeployNothing", _DEPLOYING), *_leave(named)])
    if named.deployers and not both:
        documents[DEPLOY] = _document([_deny("SignNothing", _SIGNING), *_ours(named), *_leave(named)])
    remarks = [*_remarks(named, both, documents[SCP]), *([_CODEDEPLOY] if named.deployers and policy.deploy.groups else [])]
    return Guardrails(documents=documents, remarks=tuple(remarks))


def _named(policy: Policy) -> _Named:
    targets, stages = policy.sign.targets, policy.deploy.stages
    deployers = [one.role for one in stages if one.role]
    return _Named(
        configurations=_all([policy.enforce.configuration, *(one.code_signing_config for one in targets)]),
        signers=_all(one.role for one in targets),
        deployers=_all([*deployers, *(one.stack_role for one in stages)]) if deployers else (),  # CloudFormation's own for a stack, too
        glass=_all([policy.break_glass.role]),
        guards=_all([policy.enforce.role]),
    )


def _all(arns: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({one for one in arns if one}))


def _for_accounts(named: _Named) -> Iterator[Document]:
    """The service control policy."""
    yield from _ours(named)
    yield _deny("DetachNothing", _DETACHING)
    yield _deny("ChangeNoConfiguration", _CONFIGURING, _but(named.guards))
    yield _deny("OpenNoUrl", _OPENING, {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}})
    if named.signers:
        yield _deny("OnlyTheseSign", _SIGNING, _but(_all((*named.signers, *named.glass))))
    if named.deployers:
        theirs = _all((*named.deployers, *named.glass))
        yield _deny("OnlyTheseDeploy", _DEPLOYING, _but(theirs))
        yield _deny("OnlyThesePublishLayers", ("lambda:PublishLayerVersion",), _but(_all((*theirs, *named.signers))))


def _ours(named: _Named) -> Iterator[Document]:
    """No function under another configuration. Who guards may attach one that warns to a function that is on its way (`enforce`)."""
    others = {"StringNotEquals": {"lambda:CodeSigningConfigArn": _one(named.configurations)}}
    yield _deny("CreateUnderOurConfiguration", _CREATING, others)
    yield _deny("AttachOurConfiguration", _ATTACHING, others | (_but(named.guards) or {}))


def _leave(named: _Named) -> Iterator[Document]:
    """What neither who signs nor who deploys may do."""
    yield _deny("LeaveConfigurations", (*_DETACHING, *_CONFIGURING), _but(named.guards))


def _deny(sid: str, actions: Sequence[str], condition: Document | None = None) -> Document:
    return {"Sid": sid, "Effect": "Deny", "Action": _one(actions), "Resource": "*", **({"Condition": condition} if condition else {})}


def _but(roles: Sequence[str]) -> Document | None:
    """For everybody but these; a role's sessions have its ARN as `aws:PrincipalArn`."""
    return {"ArnNotEquals": {"aws:PrincipalArn": _one(roles)}} if roles else None


def _one(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _document(statements: Iterable[Document]) -> Document:
    return {"Version": _VERSION, "Statement": list(statements)}


def _remarks(named: _Named, both: Sequence[str], scp: Document) -> Iterator[str]:
    if not named.guards:
        yield "[enforce] names no `role`: nobody may change a configuration or a profile, neither may `shipsafe enforce` and `bootstrap`."
    if not named.signers:
        yield "No [[sign.target]] names a `role`: who signs is left to IAM."
    if not named.deployers:
        yield "No [[deploy.stage]] names a `role`: who deploys is left to IAM."
    if both:
        yield f"{', '.join(both)} signs and deploys: whoever has it can run what nobody asked. Give each a role of its own."
    yield "No function runs a container image under these: a code-signing configuration cannot cover one."
    yield f"{SCP} is for the accounts (or their unit), and never holds for the organization's management account."
    size = len(json.dumps(scp, separators=(",", ":")))
    if size > _LARGEST_SCP:
        yield f"{SCP} takes {size:,} characters, and AWS takes {_LARGEST_SCP:,}: write one for each account, with a policy of its own."
