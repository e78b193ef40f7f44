"""The configuration that decides what code does, against what the provenance says: package type, runtime, handler, architecture.

Signed code runs other code where its handler is another, and no signature says so. So it does under some environment variables, of which no
provenance tells: they are noted.
"""

from shipsafe.adapters.aws.functions import Running
from shipsafe.model.chain import Link
from shipsafe.packing.manifest import Told
from shipsafe.verify import live_links
from shipsafe.verify.links import broken, held, unanswered
from shipsafe.verify.several import worst

# What starts or loads other code than the handler's. AWS: "Modifying the runtime environment" (wrapper scripts); else the runtimes' own.
_STEERING = frozenset(
    ("AWS_LAMBDA_EXEC_WRAPPER", "DOTNET_STARTUP_HOOKS", "JAVA_TOOL_OPTIONS", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_OPTIONS",
     "NODE_PATH", "PYTHONHOME", "PYTHONPATH", "RUBYLIB", "RUBYOPT")
)  # fmt: skip
_REMEDY = "Find out who changed it; deploy what was built again."


def settings_link(running: Running, told: Told) -> Link:
    """The link `configuration` of a version of a function."""
    found = [
        _compared("runtime", told.runtimes, (running.runtime,)),
        _compared("handler", (told.handler,) if told.handler else (), (running.handler,)),
        _compared("architecture", told.architectures, running.architectures),
    ]
    said = f"It runs on {running.runtime}, {', '.join(running.architectures)}, as {running.handler}, as it was built to."
    steering = [name for name in running.variables if name in _STEERING]
    many = "variable decides" if len(steering) == 1 else "variables decide"
    notes = [f"Its environment {many} what code runs, and nobody said whether it should: {', '.join(steering)}."] if steering else []
    return worst([one for one in found if one is not None], held(live_links.SETTINGS, said, notes=notes))


def _compared(what: str, expected: tuple[str, ...], found: tuple[str, ...]) -> Link | None:
    if not expected:
        sentence = f"Nobody said which {what} it is to have, so that {', '.join(found) or 'none'} cannot be compared."
        return unanswered(
            live_links.SETTINGS, sentence, remedy=f"Let the template say its {what} (of a zip: `sign --{what}`), and sign again."
        )
    if expected == found:
        return None
    sentence = f"The {what} of the function is not the one that it was built for."
    return broken(live_links.SETTINGS, sentence, expected=", ".join(expected), found=", ".join(found) or "none", remedy=_REMEDY)
