"""What the command line sets over the policy, for one run: as a last document of the chain, so that what a base fixed holds for it too."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipsafe.errors import ConfigError
from shipsafe.policy.document import Document
from shipsafe.policy.keys import BY_PATH, GATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options that speak of the policy.

    `fail_on`: `SEVERITY` or `GATE=SEVERITY`, later ones over earlier ones. `baseline`: a file (as the shell sees it) or `off`; None to
    leave it to the policy.
    """

    fail_on: tuple[str, ...] = ()
    baseline: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What was said about severities, for reports: it is part of the policy of that run."""
        return tuple(f"--fail-on {word}" for word in self.fail_on)


NOTHING_GIVEN = Given()


def documents(given: Given, chain: Sequence[Document], home: Path) -> Iterator[Document]:
    """A document for each option that says something else than the chain of the policy does.

    Args:
        given: the options.
        chain: the documents of the policy, the base first.
        home: the folder of the project's policy, which paths are relative to.

    Raises:
        ConfigError: a word is no severity, or names no gate.
    """
    if given.fail_on:
        gates: dict[str, dict[str, str]] = {}
        for word in given.fail_on:
            gate, equals, severity = word.rpartition("=")
            gates |= {one: {"fail-on": severity} for one in _gates(word, gate if equals else None, severity)}
        yield Document(name="--fail-on", values={"gates": gates}, lines={})
    if given.baseline is not None:
        name = given.baseline if given.baseline == "off" else Path(os.path.relpath(Path(given.baseline).resolve(), home)).as_posix()
        named = next((one.values["baseline"] for one in reversed(chain) if "baseline" in one.values), None)
        if name != named:
            yield Document(name="--baseline", values={"baseline": name}, lines={})


def _gates(word: str, gate: str | None, severity: str) -> tuple[str, ...]:
    choices = BY_PATH["gates.lint.fail-on"].choices
    if severity.removesuffix(":fixable") not in choices or severity == "never:fixable":
        raise ConfigError(f"--fail-on {word!r}: there is no severity {severity!r}.",
                          remedy=f"Choose one of {', '.join(choices)}; `high:fixable` blocks only what has a fix.")  # fmt: skip
    if gate is not None and gate not in GATES:
        raise ConfigError(f"--fail-on {word!r}: there is no gate {gate!r}.", remedy=f"Choose one of {', '.join(GATES)}.")
    return GATES if gate is None else (gate,)
