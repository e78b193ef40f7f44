"""What `ship` did: one line of five legs, each of which passes or ends it, and what came of every function.

    build -> sign -> enforce -> deploy -> verify

A leg says how it went in one sentence. What it found in full (findings of the gates, links that do not hold) stands beside it.
"""

from dataclasses import dataclass
from enum import StrEnum

from shipsafe.errors import ExitCode, gravest
from shipsafe.model.chain import Verification
from shipsafe.model.deployment import Ending, Shift
from shipsafe.model.record import RunRecord


class Leg(StrEnum):
    """A part of the line, in the order of the line."""

    BUILD = "build"
    SIGN = "sign"
    ENFORCE = "enforce"
    DEPLOY = "deploy"
    VERIFY = "verify"


class Went(StrEnum):
    """How a leg ended."""

    PASSED = "passed"
    DONE_BEFORE = "done before"  # there was nothing left to do
    STOPPED = "stopped"  # the line ends here
    PLANNED = "planned"  # only the plan was asked for
    DECLINED = "declined"  # whoever was asked said no
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegReport:
    """How a leg went: `sentence` whole, for a person; `seconds` that it took; `notes` what is odd, or comes next."""

    leg: Leg
    went: Went
    sentence: str = ""
    code: ExitCode = ExitCode.PASS
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedFunction:
    """What came of one function.

    Attributes:
        artifact: its name in the release; `function` what it is called in the account, `account` and `region` where that is.
        alias: "" for `$LATEST`. version: that runs now, or was tried; `before` the one that the alias led to; both "" where there is none.
        sha256: hex, of the signed zip. signer: ARN of the profile's version that signed it.
        ending: what the deployment came to; `reason` why, where it did not go live.
        verdict: the decision or the state of its chain, in one word that other programs read: PASS, FAIL, ... or "" where nobody looked.
        shifts: how its calls moved.
    """

    artifact: str
    function: str
    account: str
    region: str
    alias: str
    version: str
    before: str
    sha256: str
    signer: str
    ending: Ending
    reason: str = ""
    verdict: str = ""
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One run of `ship`.

    Attributes:
        project: the folder's name. release: hex, over the digests of all unsigned zips; "" where nothing was built. out: where it lies.
        legs: all five, in order.
        functions: of the release, in its order.
        record: what the gates said in the leg that ran last and asked them; verification: what `verify` found.
        local: whether the endpoint on this machine answered instead of AWS. sandbox: whether that is gone afterwards.
        overridden: the reason under which findings were let through, or "".
        remarks: about all of it.
    """

    project: str
    release: str
    out: str
    legs: tuple[LegReport, ...]
    functions: tuple[ShippedFunction, ...] = ()
    record: RunRecord | None = None
    verification: Verification | None = None
    local: bool = False
    sandbox: bool = False
    overridden: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """That of the leg that ended the line: 0 after a plan alone, 130 where somebody said no."""
        return gravest(leg.code for leg in self.legs)

    @property
    def ended(self) -> LegReport | None:
        """The leg that ended the line before its end, or None."""
        return next((leg for leg in self.legs if leg.went in (Went.STOPPED, Went.PLANNED, Went.DECLINED)), None)
