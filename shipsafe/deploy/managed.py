"""Who looks after a function: a stack of CloudFormation, Terraform, or nobody but us.

A stack knows which code its functions have to have. What is deployed beside it is reverted by the next update of the stack, without a word,
and by then nobody remembers. So such a function is deployed by the tool that it belongs to (`deploy --via`), never behind its back.

CloudFormation marks each of its functions with tags that nobody else can write (`aws:` is reserved). Terraform leaves no mark of its own:
either the release was built from its plan, or somebody tagged the function, as many do.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from shipsafe.errors import ConfigError

if TYPE_CHECKING:
    from shipsafe.packing.release import Release

_STACK = "aws:cloudformation:stack-name"
_BUILT_BY_SAM = ("lambda:createdBy", "SAM")  # SAM's translator writes it
_WORDS = ("terraform", "opentofu")
_SAYS = frozenset(("managedby", "manager", "provisioner", "provisionedby", "iac", "iactool", "tool", "deployedby", "createdby"))
_NO = ("", "false", "no", "0")
_ASSEMBLY = "manifest.json"  # of `cdk synth`
_PLANS = ("plan.json", "tfplan.json", "terraform-plan.json")


class Via(StrEnum):
    """The tools that `deploy --via` hands over to."""

    SAM = "sam"
    CLOUDFORMATION = "cloudformation"
    CDK = "cdk"
    TERRAFORM = "terraform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Who looks after a function.

    Attributes:
        via: its tool; for a stack the one that wrote the template, where the release says which.
        stack: the name of the CloudFormation stack, "" for Terraform.
        why: a sentence: how we know.
    """

    via: Via
    why: str
    stack: str = ""


class ManagedError(ConfigError):
    """A function that is not updated directly; `manager` says who does."""

    def __init__(self, what: str, *, remedy: str, manager: Manager) -> None:
        super().__init__(what, remedy=remedy)
        self.manager = manager


def manager_of(tags: Mapping[str, str], *, source: Via | None) -> Manager | None:
    """Who looks after a function with these tags; None where nobody is known to.

    Args:
        tags: of the function.
        source: the tool whose template the release was built from (`built_for`), None for a plain folder.
    """
    if stack := tags.get(_STACK):
        via = Via.SAM if _BUILT_BY_SAM in tags.items() else Via.CLOUDFORMATION
        if source in (Via.SAM, Via.CDK, Via.CLOUDFORMATION):
            via = source
        return Manager(via=via, stack=stack, why=f"CloudFormation stack {stack} manages it.")
    if source is Via.TERRAFORM:
        return Manager(via=Via.TERRAFORM, why="Terraform manages it: the release was built from its plan.")
    if said := next((f"{key} = {value}" for key, value in tags.items() if _of_terraform(key, value)), None):
        return Manager(via=Via.TERRAFORM, why=f"Terraform manages it, as its tag says: {said[:200]}.")
    return None


def built_for(release: "Release") -> Via | None:
    """The tool that a release was built from, as far as its manifest tells; of a stack the functions say the rest themselves."""
    return tool_of(str(release.document["template"] or ""), (one.location.path or "" for one in release.artifacts))


def tool_of(template: str, places: Iterable[str]) -> Via | None:
    """The tool that a description of functions is of; None for templates of stacks, which not everybody deploys as such, and for none.

    Args:
        template: the file that describes them, "" for a plain folder.
        places: the files in which they stand.
    """
    name = PurePosixPath(template).name
    if name == _ASSEMBLY:
        return Via.CDK
    return Via.TERRAFORM if name in _PLANS or any(place.endswith((".tf", ".tf.json")) for place in places) else None


def _of_terraform(key: str, value: str) -> bool:
    """Whether a tag is one of those by which people say it: `ManagedBy = Terraform`, `terraform = true`."""
    name, said = re.sub(r"[-_: .]", "", key).lower(), value.strip().lower()
    return (name in _WORDS and said not in _NO) or (name in _SAYS and said.startswith(_WORDS))


def refusal(function: str, manager: Manager, release: str) -> ManagedError:
    """Why a function is not updated directly, and what to run instead.

    Args:
        function: its name.
        manager: of it.
        release: the folder of the release, as the user named it, and the stage, where there is one.
    """
    what = f"Function {function} is not deployed behind the back of its manager, whose next update would revert it. {manager.why}"
    via = "" if manager.stack else f" --via {manager.via}"  # the template of a stack says whether it is SAM's
    remedy = f"Run `shipsafe deploy {release}{via}`, which hands over what was signed."
    return ManagedError(what, remedy=remedy, manager=manager)
