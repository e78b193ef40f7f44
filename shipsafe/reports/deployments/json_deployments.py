"""What `deploy` did, as JSON for other programs. Its shape is published in `configs/deployments.schema.json`: no unknown keys."""

from shipsafe.model.deployment import Deployment
from shipsafe.reports.deployments import Told
from shipsafe.reports.deployments.words import last_line
from shipsafe.reports.strict_json import dump

SCHEMA_VERSION = "1.0"


def write(told: Told) -> str:
    """It as JSON, ending in a line break. Texts stand as they came, escaped to ASCII."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "exit_code": int(told.exit_code),
            "summary": last_line(told),
            "policy": told.verification.policy,
            "policy_digest": told.verification.policy_digest,
            "deployments": [_one(one, told.verdict(one)) for one in told.deployments],
            "remarks": list(told.remarks),
        }
    )


def _one(one: Deployment, verdict: str) -> dict[str, object]:
    return {
        "artifact": one.artifact,
        "function": one.function,
        "alias": one.alias or None,
        "account": one.account,
        "region": one.region,
        "ending": one.ending,
        "exit_code": int(one.exit_code),
        "reason": one.reason or None,
        "remedy": (one.error.remedy or None) if one.error else None,
        "version": one.version or None,
        "before": one.before or None,
        "unsigned_sha256": one.unsigned_sha256,
        "sha256": one.sha256,
        "code_sha256": one.code_sha256,
        "job": one.job,
        "profile_version": one.profile_version,
        "configuration": one.configuration or None,
        "verdict": verdict or None,
        "strategy": {"rollout": one.strategy.rollout, "percent": one.strategy.percent, "every": one.strategy.every.total_seconds()},
        "shifts": [{"at": shift.at.isoformat(), "percent": shift.percent} for shift in one.shifts],
        "began": one.began.isoformat() if one.began else None,
        "ended": one.ended.isoformat() if one.ended else None,
        "overridden": one.overridden,
        "notes": list(one.notes),
    }
