"""What somebody asked `deploy` for."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.flows.sign_request import Amend, as_it_is
from shipsafe.model.override import BreakGlass

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What somebody asked for.

    Attributes:
        out: the folder of the release.
        policy: the deployer's own; None for the one that is found from the current folder.
        targets: names of `[[sign.target]]`s; empty where the policy has one alone.
        stage: of the policy, instead of a target; "" for none.
        functions: names of artifacts; empty for all.
        create: make functions that are not there; `role` is the ARN that they get where the policy names none.
        atomic: roll all back if one fails.
        jobs: how many functions at once.
        offline: advisories are not fetched. AWS is asked all the same.
        evidence: where evidence is kept, instead of where the policy says.
        local_root: hex SHA-256 of the local endpoint's root, where it is honoured, or None.
        signers: whose keys sign the deployment records; with none they are unsigned.
        deadline: instead of the policy's, or None.
        break_glass: who goes on with a release that did not pass, and why; None where nobody does.
        skip_stages: whether it goes to a stage although the one before has not run it.
        manifest_digest: `sha256:HEX` that the release manifest has to be, or None.
        amend: the policy as it is to be used; the sandbox has a place of its own.
    """

    out: Path
    policy: Path | None = None
    targets: tuple[str, ...] = ()
    stage: str = ""
    functions: tuple[str, ...] = ()
    create: bool = False
    role: str | None = None
    atomic: bool = False
    jobs: int = 8
    offline: bool = False
    evidence: str | None = None
    local_root: str | None = None
    signers: "tuple[Signer, ...]" = ()
    deadline: timedelta | None = None
    break_glass: BreakGlass | None = None
    skip_stages: bool = False
    manifest_digest: str | None = None
    amend: Amend = as_it_is
