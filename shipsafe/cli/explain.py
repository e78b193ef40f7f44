"""`shipsafe explain RULE`: the rule's page, offline."""

import difflib
import sys
from typing import Annotated

import typer

from shipsafe.errors import ConfigError
from shipsafe.gates import all_rules
from shipsafe.model.finding import Rule
from shipsafe.reports.rule_page import rule_text

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    rule: Annotated[str | None, typer.Argument(metavar="[RULE]", help="Such as layers/unpinned; without it, all are listed.")] = None,
) -> None:
    """What a rule means, why it matters, a bad and a good example. The same text stands in the docs and in SARIF."""
    if rule is None:
        sys.stdout.writelines(f"{known.id:34} {known.severity:9} {known.summary}\n" for known in all_rules())
    else:
        sys.stdout.write(rule_text(_named(rule)))


def _named(name: str) -> Rule:
    """The rule of that name.

    Raises:
        ConfigError: there is none.
    """
    rules = {known.id: known for known in all_rules()}
    if name not in rules:
        near = difflib.get_close_matches(name, rules, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"There is no rule {name!r}.", remedy=f"{hint} `shipsafe explain` lists all.".strip())
    return rules[name]
