"""How `ship` is seen: while it goes on (`view`), and when it is over (`text`, `markdown`, `json_ship`).

sys.stdout.write(write(shipped, "markdown"))
"""

from importlib import import_module

from shipsafe.errors import ConfigError
from shipsafe.model.ship import Shipped

FORMS = ("text", "json", "markdown")
_MODULES = {"text": "text", "json": "json_ship", "markdown": "markdown"}


def write(shipped: Shipped, form: str) -> str:
    """The run in one of `FORMS`, ending in a line break.

    Raises:
        ConfigError: there is no such form.
    """
    if form not in FORMS:
        raise ConfigError(f"There is no format {form[:60]!r}.", remedy=f"Choose one of: {', '.join(FORMS)}.")
    text: str = import_module(f"{__name__}.{_MODULES[form]}").write(shipped)
    return text
