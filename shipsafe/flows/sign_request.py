"""What somebody asked `sign` for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe.adapters.github_job import on_github
from shipsafe.flows.bare_said import Bare
from shipsafe.model.approval import Approvals
from shipsafe.model.override import BreakGlass
from shipsafe.model.policy import Policy

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

Amend = Callable[[Policy], Policy]


def as_it_is(policy: Policy) -> Policy:
    """The policy that was read, and no other."""
    return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest:
    """What somebody asked for.

    Attributes:
        out: the folder of the release.
        today: the day on which waivers and dates are judged.
        policy: the policy to ask and sign under; None for the one that the release names.
        targets: names of targets; empty for all of the policy.
        vex: further VEX documents.
        offline: advisories are not fetched. AWS is asked all the same.
        jobs: how many things are done at once while gates are asked.
        timeout: seconds that uploading, signing and reading back may take together.
        local_root: hex SHA-256 of the local endpoint's root, where it is honoured, or None.
        bare: zips that no release names, which become the one in `out`; None where the release is there.
        rewrite, tfvars, samconfig: what is to be written with what was signed (`flows/rewrite.py`).
        overrides: template parameters, for `rewrite`.
        manifest_digest: `sha256:HEX` that the release manifest has to be, or None.
        amend: changes the policy that was read: a sandbox has places of its own.
        signers: whose keys sign the evidence; with none it is unsigned.
        approvals: who approved what the policy waives (`flows/approvals.py`), None where nobody says.
        on_github: whether this is a job of GitHub's, where a policy that asks for approvals has to be answered.
        break_glass: who goes on with a release that did not pass, and why; None where nobody does.
    """

    out: Path
    today: date
    policy: Path | None = None
    targets: tuple[str, ...] = ()
    vex: tuple[Path, ...] = ()
    offline: bool = False
    jobs: int = 4
    timeout: float = 900
    local_root: str | None = None
    bare: Bare | None = None
    rewrite: tuple[str, ...] = ()
    tfvars: Path | None = None
    samconfig: Path | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    signers: "tuple[Signer, ...]" = ()
    break_glass: BreakGlass | None = None
    approvals: Approvals | None = None
    on_github: bool = field(default_factory=on_github)
    manifest_digest: str | None = None
    amend: Amend = as_it_is
