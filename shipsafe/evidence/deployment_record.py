"""The deployment record: what `deploy` states of one artifact at one place, after it has looked at what runs there.

    statement = deployment_statement(deployment, unsigned=..., signed=..., run="2026-11-21T09:00:00Z-3f2a", stage="prod", verified=chain)

Subjects are the unsigned and then the signed zip, so that whoever has either finds where it runs. There is one for every attempt that
changed something: one that went back says so, and is no proof that anything ran. Times are those of the deployment, and whose word it is
says the signature in the role of a deployer. The shape is published in docs/predicates/deployment-v1.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipsafe.errors import IntegrityError
from shipsafe.evidence.predicates import check
from shipsafe.model.attestation import Predicate, Resource, Statement
from shipsafe.model.chain import Chain
from shipsafe.model.deployment import Deployment, Ending
from shipsafe.model.moments import as_text, from_text

RUNNING = frozenset({Ending.DEPLOYED, Ending.UNCHANGED, Ending.HANDED_OVER})  # endings after which the version runs
_REMEDY = "Find out who wrote it, and deploy the release again."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSaid:
    """What a deployment record says. It is a claim of whoever signed it.

    Attributes:
        unsigned_sha256, sha256: hex, of its two subjects.
        version: that runs, or was tried; `before` where the alias led; alias "" for `$LATEST`.
        stage: "" where it was for none. deployment: id of the run.
        ending: what it came to; `ran` tells whether the version ran then.
        began, at: UTC; `at` is when it ended.
        override: what let it through that its gates did not, as the record has it; None for a clean release.
    """

    unsigned_sha256: str
    sha256: str
    artifact: str
    function: str
    account: str
    region: str
    alias: str
    version: str
    before: str
    stage: str
    deployment: str
    ending: Ending
    reason: str
    began: datetime
    at: datetime
    override: Mapping[str, Any] | None = None

    @property
    def ran(self) -> bool:
        """Whether the version ran when it ended."""
        return self.ending in RUNNING


def deployment_statement(
    deployment: Deployment, *, unsigned: Resource, signed: Resource, run: str, stage: str = "", verified: Chain | None = None,
    override: Mapping[str, Any] | None = None,
) -> Statement:  # fmt: skip
    """The statement about one deployment.

    Args:
        deployment: as it ended; not one that was refused, which changed nothing.
        unsigned: the zip that was audited: name of its file, and digests.
        signed: the zip that Lambda was given: `str(S3Object)` or the like, and digests.
        run: id of the run, the same for all that it deployed.
        stage: as the policy calls it, or "".
        verified: what `verify` found afterwards; None where it could not be asked.
        override: what let it through (`Override.told`), where its gates did not.

    Raises:
        IntegrityError: it does not say what it is about, or when.
    """
    if deployment.ending is Ending.REFUSED or deployment.began is None or deployment.ended is None:
        what = f"No record can be written of {deployment.function}: it was not deployed, or nobody knows when."
        raise IntegrityError(what, remedy="Deploy it again.")
    strategy = deployment.strategy
    predicate = {
        "artifact": deployment.artifact,
        "function": deployment.function,
        "alias": deployment.alias,
        "version": deployment.version,
        "before": deployment.before,
        "account": deployment.account,
        "region": deployment.region,
        "codeSha256": deployment.code_sha256,
        "job": deployment.job,
        "profileVersion": deployment.profile_version,
        "configuration": deployment.configuration,
        "strategy": {"rollout": strategy.rollout.value, "percent": strategy.percent, "every": strategy.every.total_seconds()},
        "shifts": [{"at": as_text(one.at), "percent": one.percent} for one in deployment.shifts],
        "ending": deployment.ending.value,
        "reason": deployment.reason,
        "deployment": run,
        "revision": deployment.revision,
        "stage": stage,
        "beganAt": as_text(deployment.began),
        "deployedAt": as_text(deployment.ended),
        "verified": [{"link": one.id, "hold": one.hold.value} for one in verified.links] if verified else [],
        "override": dict(override) if override else None,
    }
    return Statement(subjects=(unsigned, signed), kind=Predicate.DEPLOYMENT, predicate=predicate)


def read_deployment(statement: Statement, *, shown: str) -> DeploymentSaid:
    """What a deployment record says. Whose word it is has been asked before (`trust.vouched`).

    Args:
        statement: of `urn:shipsafe:deployment:v1`.
        shown: where it comes from, for people.

    Raises:
        IntegrityError: it is not of the published shape, or not about two zips.
    """
    told = statement.predicate
    check(statement.kind, told, shown=shown)
    if statement.kind != Predicate.DEPLOYMENT or len(statement.subjects) != 2:  # noqa: PLR2004 - the unsigned and the signed zip
        raise IntegrityError("It is no deployment record about an unsigned and a signed zip.", remedy=_REMEDY, path=shown)
    unsigned, signed = (one.digests["sha256"] for one in statement.subjects)
    names = ("artifact", "function", "account", "region", "alias", "version", "before", "stage", "deployment", "reason")
    try:
        return DeploymentSaid(
            **{name: told[name] for name in names},
            unsigned_sha256=unsigned,
            sha256=signed,
            ending=Ending(told["ending"]),
            began=from_text(told["beganAt"]),
            at=from_text(told["deployedAt"]),
            override=told["override"],
        )
    except (OverflowError, ValueError) as error:  # a 31st of February; a time without its zone
        raise IntegrityError("The deployment record names a time that is none.", remedy=_REMEDY, path=shown) from error
