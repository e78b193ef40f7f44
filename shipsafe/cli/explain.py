"""`shipsafe explain RULE`: the rule's page, offline."""

import difflib
import sys
from typing import Annotated

import typer

from shipsafe.errors import ConfigError
from shipsafe.gates import all_rules
from shipsafe.reports.rule_page import rule_text

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    rule: Annotated[str | None, typer.Argument(metavar="[RULE]", help="Such as layers/unpinned; without it, all are listed.")] = None,
) -> None:
    """What a rule means, why it matters, a bad and a good example. The same text stands in the docs and in SARIF.

    Raises:
        ConfigError: there is no such rule.
    """
    rules = {known.id: known for known in all_rules()}
    if rule is None:
        sys.stdout.writelines(f"{known.id:34} {known.severity:9} {known.summary}\n" for known in rules.values())
        return
    if rule not in rules:
        near = difflib.get_close_matches(rule, rules, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"There is no rule {rule!r}.", remedy=f"{hint} `shipsafe explain` lists all.".strip())
    sys.stdout.write(rule_text(rules[rule]))
