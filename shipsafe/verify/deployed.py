"""What deployment records tell of a version that runs: when it went live, for which stage, and whether somebody had to answer for it.

It breaks nothing where there is none: other tools deploy, too, and what runs is proven by its digest. A record that nobody vouches for says
so; one of another function, version or place is not told here.
"""

from datetime import datetime

from shipsafe.adapters.aws.functions import Running
from shipsafe.errors import ShipsafeError
from shipsafe.evidence.deployment_record import DeploymentSaid, read_deployment
from shipsafe.model.attestation import Vouched
from shipsafe.verify.proof import Proof


def deployed_notes(proof: Proof | None, running: Running) -> tuple[str, ...]:
    """The latest record of exactly this version, as notes for its link; none where there is none."""
    found = [(said, one) for one in (proof.deployments if proof else ()) if (said := _said(one, running)) is not None]
    if not found:
        return ()
    said, one = max(found, key=_when)
    who = f"as {', '.join(one.by)} {'states' if len(one.by) == 1 else 'state'}" if one.by else "of which nobody vouches"
    stage = f" for stage {said.stage}" if said.stage else ""
    alias = f" under alias {said.alias}" if said.alias else ""
    told = f"It was deployed{alias}{stage} at {said.at:%Y-%m-%d %H:%M} UTC (run {said.deployment}), {who}."
    return (told, f'It went live under an override: "{said.override["reason"]}".') if said.override else (told,)


def _said(one: Vouched, running: Running) -> DeploymentSaid | None:
    try:
        said = read_deployment(one.statement, shown="the evidence")
    except ShipsafeError:  # it tells nothing
        return None
    account, region = (running.arn.split(":") + [""] * 5)[4:2:-1]
    place = (said.account, said.region, said.function, said.version)
    return said if said.ran and place == (account, region, running.name, running.version) else None


def _when(found: tuple[DeploymentSaid, Vouched]) -> tuple[datetime, str]:
    return found[0].at, found[1].envelope.sha256
