"""`ship` as JSON for other programs. The shape is published in `configs/ship.schema.json`, and admits no unknown keys."""

from importlib.resources import files
from typing import Any

from shipsafe.model.ship import Shipped, ShippedFunction
from shipsafe.reports.ship import words
from shipsafe.reports.strict_json import dump

SCHEMA_VERSION = "1.0"


def write(shipped: Shipped) -> str:
    """The run in the shape of the published schema, ending in a line break. Texts stand as they came, escaped to ASCII."""
    ended = shipped.ended
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "exit_code": int(shipped.exit_code),
            "summary": words.last_line(shipped),
            "project": shipped.project,
            "release": shipped.release or None,
            "out": shipped.out,
            "local": shipped.local,
            "overridden": shipped.overridden or None,
            "ended_at": ended.leg if ended else None,
            "legs": [
                {
                    "leg": leg.leg,
                    "state": leg.went,
                    "exit_code": int(leg.code),
                    "seconds": round(leg.seconds, 3),
                    "sentence": leg.sentence,
                    "notes": list(leg.notes),
                }
                for leg in shipped.legs
            ],
            "functions": [_function(one) for one in shipped.functions],
            "remarks": list(shipped.remarks),
        }
    )


def schema_text() -> str:
    """The published JSON schema of a run of `ship`."""
    return files("shipsafe.reports").joinpath("data/ship.schema.json").read_text(encoding="utf-8")


def _function(one: ShippedFunction) -> dict[str, Any]:
    return {
        "artifact": one.artifact,
        "function": one.function,
        "account": one.account,
        "region": one.region,
        "alias": one.alias or None,
        "version": one.version or None,
        "before": one.before or None,
        "sha256": one.sha256,
        "signer": one.signer,
        "ending": one.ending,
        "reason": one.reason or None,
        "verdict": one.verdict or None,
        "shifts": [{"at": shift.at.isoformat(), "percent": shift.percent} for shift in one.shifts],
    }
