"""One file per way of writing what `deploy` did: text, JSON, Markdown for the summary of a step.

    sys.stdout.write(write(told, "markdown"))

Each names every function with its version, digest, signer and how it ended, and gives the reason where it did not go live.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from shipsafe.errors import ConfigError, ExitCode
from shipsafe.model.chain import Verification
from shipsafe.model.deployment import Deployment

FORMS = ("text", "json", "markdown")
_MODULES = {form: "json_deployments" if form == "json" else form for form in FORMS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a run.

    Attributes:
        deployments: one for each function. verdicts: what looking again said of each, by its place: `account/region/function`.
        verification: of what runs now.
        exit_code: of the whole. remarks: what else is to be said.
    """

    deployments: Sequence[Deployment]
    verdicts: Mapping[str, str]
    verification: Verification
    exit_code: ExitCode
    remarks: Sequence[str] = ()

    def verdict(self, one: Deployment) -> str:
        """In one word that other programs read; "" where nobody looked."""
        return self.verdicts.get(f"{one.account}/{one.region}/{one.function}", "")


def write(told: Told, form: str) -> str:
    """It in one of `FORMS`, ending in a line break.

    Raises:
        ConfigError: there is no such form.
    """
    if form not in FORMS:
        raise ConfigError(f"There is no format {form[:60]!r}.", remedy=f"Choose one of: {', '.join(FORMS)}.")
    text: str = import_module(f"{__name__}.{_MODULES[form]}").write(told)
    return text
