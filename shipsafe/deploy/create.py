"""A function that is not there is made with everything at once: code, role, layers, code-signing configuration and our marks.

A call whose answer was lost may have made it: one that has our code and our marks is ours, any other is somebody else's.
"""

from typing import Any

from shipsafe.adapters.aws.deploying import create_function, find_whole
from shipsafe.adapters.aws.functions import Running
from shipsafe.deploy.look import Live, look
from shipsafe.deploy.marks import DEPLOY, Marks
from shipsafe.deploy.patience import FinalError
from shipsafe.deploy.plan import FunctionPlan
from shipsafe.deploy.settle import made
from shipsafe.deploy.work import Work
from shipsafe.errors import IncompleteError


def created(work: Work, plan: FunctionPlan, marks: Marks, layers: tuple[str, ...]) -> Live:
    """Make a function, and give it as it is once it is ready.

    Raises:
        IncompleteError: somebody else made one of that name meanwhile, or Lambda refused, gave no answer or could not make it ready.
        RolledBackError: somebody interrupted.
    """
    name, wanted = plan.name, plan.wanted

    def found() -> Running | None:
        whole = work.look(lambda: find_whole(work.aws, name))
        if whole is None:
            return None
        if whole.tags.get(DEPLOY) != marks.tags()[DEPLOY] or whole.latest.code_sha256 != wanted.signed.code_sha256:
            raise FinalError(f"Somebody else has made a function {name} meanwhile.", remedy="Run this again: it is planned anew.")
        return whole.latest

    work.check()
    work.hands.say(f"{name}: creating the function")
    made(work, change=lambda: create_function(work.aws, name, wanted.signed.object, _settings(plan, marks, layers)), found=found)
    live = look(work, name)
    if live is None:
        raise IncompleteError(f"Function {name} was deleted meanwhile.", remedy="Find out by whom.")
    return live


def _settings(plan: FunctionPlan, marks: Marks, layers: tuple[str, ...]) -> dict[str, Any]:
    told = plan.wanted.artifact.told
    return {
        "Role": plan.role,
        "Runtime": told.runtimes[0],
        "Handler": told.handler,
        "CodeSigningConfigArn": plan.configuration,
        "Tags": marks.tags(),
        **({"Architectures": list(told.architectures)} if told.architectures else {}),
        **({"Layers": list(layers)} if layers else {}),
    }
