"""What somebody asked `ship` for, and who is asked before anything changes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.flows.deploy import Deploying, DeployPlan
from shipsafe.flows.request import Request
from shipsafe.flows.sign import Asking, Planned
from shipsafe.flows.sign_request import Amend, as_it_is
from shipsafe.model.approval import Approvals

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipRequest:
    """What somebody asked for.

    Attributes:
        build: what is built, with what, and where it goes.
        targets: names of the targets that sign and receive; empty for all of the policy. stage: a `[[deploy.stage]]`, or None.
        resume: the release that lies in the folder goes on where it was; nothing is built where a build has ended.
        dry_run: every leg stops after its plan.
        signers: whose keys sign the evidence, as `build.keys` names them.
        timeout: seconds that uploading, signing and reading back may take together.
        local_root: hex SHA-256 of the local endpoint's root, where it is honoured, or None.
        create: functions that do not exist are made; `role` is the ARN that they get where the policy names none.
        atomic: all go back if one does.
        skip_stages: whether it goes to a stage although the one before has not run it.
        connect: opens AWS at a place; `once_a_place`, so that all legs share sessions and clients (a client takes 0.2 s to make).
        approvals: who approved what the policy waives, None where nobody says.
        amend: changes the policy that was read: a sandbox has places of its own.
        sandbox: whether it is in one, which is gone afterwards.
    """

    build: Request
    targets: tuple[str, ...] = ()
    stage: str | None = None
    resume: bool = False
    dry_run: bool = False
    signers: "tuple[Signer, ...]" = ()
    timeout: float = 900
    local_root: str | None = None
    create: bool = False
    role: str | None = None
    skip_stages: bool = False
    atomic: bool = False
    connect: Callable[[Place], Aws] = open_aws
    approvals: Approvals | None = None
    amend: Amend = as_it_is
    sandbox: bool = False

    @property
    def out(self) -> Path:
        """The folder of the release."""
        return self.build.out or Path("dist")


class Agree(Protocol):
    """Who is shown a plan, and says whether to go on."""

    def sign(self, case: Asking, plan: Planned) -> bool:
        """Whether to upload and sign."""

    def deploy(self, case: Deploying, plan: DeployPlan) -> bool:
        """Whether to change what runs."""
