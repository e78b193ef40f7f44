"""One file per way of writing a verification: text, JSON, SARIF, Markdown.

    sys.stdout.write(write(verification, "sarif"))

Each begins with the same sentence (`words.first_sentence`): the first link that does not hold, both values, and what to do.
"""

from importlib import import_module

from shipsafe.errors import ConfigError
from shipsafe.model.chain import Verification

FORMS = ("text", "json", "sarif", "markdown")
_MODULES = {form: "json_chains" if form == "json" else form for form in FORMS}


def write(verification: Verification, form: str, *, verbose: bool = True) -> str:
    """The verification in one of `FORMS`, ending in a line break.

    Without `verbose` the text takes one line for each chain that holds, where there are several; the other forms are always whole.

    Raises:
        ConfigError: there is no such form.
    """
    if form not in FORMS:
        raise ConfigError(f"There is no format {form[:60]!r}.", remedy=f"Choose one of: {', '.join(FORMS)}.")
    module = import_module(f"{__name__}.{_MODULES[form]}")
    text: str = module.write(verification) if form != "text" else module.write(verification, verbose=verbose)
    return text
