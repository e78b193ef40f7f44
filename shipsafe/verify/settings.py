"""The configuration that decides what code does, against what the provenance says: package type, runtime, handler, architecture.

Signed code runs other code where its handler is another, and no signature says so.
"""

from shipsafe.adapters.aws.functions import Running
from shipsafe.model.chain import Link
from shipsafe.packing.manifest import Told
from shipsafe.verify import live_links
from shipsafe.verify.links import broken, held, unanswered
from shipsafe.verify.several import worst

_REMEDY = "Find out who changed it; deploy what was built again."


def settings_link(running: Running, told: Told) -> Link:
    """The link `configuration` of a version of a function."""
    found = [
        _compared("runtime", told.runtimes, (running.runtime,)),
        _compared("handler", (told.handler,) if told.handler else (), (running.handler,)),
        _compared("architecture", told.architectures, running.architectures),
    ]
    said = f"It runs on {running.runtime}, {', '.join(running.architectures)}, as {running.handler}, as it was built to."
    return worst([one for one in found if one is not None], held(live_links.SETTINGS, said))


def _compared(what: str, expected: tuple[str, ...], found: tuple[str, ...]) -> Link | None:
    if not expected:
        sentence = f"Nobody said which {what} it is to have, so that {', '.join(found) or 'none'} cannot be compared."
        return unanswered(live_links.SETTINGS, sentence, remedy=f"Let the template say its {what}, then build and sign again.")
    if expected == found:
        return None
    sentence = f"The {what} of the function is not the one that it was built for."
    return broken(live_links.SETTINGS, sentence, expected=", ".join(expected), found=", ".join(found) or "none", remedy=_REMEDY)
