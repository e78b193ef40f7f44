"""A rule's page: one text for `shipsafe explain`, for the docs and for the help that GitHub shows beside an alert."""

import re
from collections.abc import Iterator

from shipsafe.model.finding import Effect, Persona, Rule

_TICKS = re.compile("`+")
_FENCE = re.compile("`{3,}$")


def rules_markdown(rule: Rule) -> str:
    """The rule's page in Markdown, ending in a line break."""
    return "\n".join(_page(rule)) + "\n"


def rule_text(rule: Rule) -> str:
    """The same page for a terminal: headings without signs, code indented, ending in a line break."""
    lines, fence = [], ""
    for line in rules_markdown(rule).split("\n")[:-1]:
        if fence:
            if line == fence:
                fence = ""
            else:
                lines.append(f"    {line}".rstrip())
        elif _FENCE.match(line):
            fence = line
        else:
            lines.append(re.sub("^#+ ", "", line).removesuffix("  "))
    return "\n".join(lines) + "\n"


def _page(rule: Rule) -> Iterator[str]:
    yield f"# {rule.id}"
    yield ""
    yield rule.summary
    yield ""
    yield f"Severity: {rule.severity}. Gate: {rule.gate}.{_remarks(rule)}"
    yield from _part("Why it matters", rule.why)
    yield from _part("What to do", rule.remedy)
    yield from _part("Bad", _code(rule.bad))
    yield from _part("Good", _code(rule.good))
    yield from _part("References", "\n".join(f"- {reference}" for reference in rule.references))


def _remarks(rule: Rule) -> str:
    said = ""
    if rule.effect is Effect.INCOMPLETE:
        said += " A finding makes the verdict INCOMPLETE, whatever the threshold."
    if rule.persona is Persona.PEDANTIC:
        said += " For those who want to hear of matters of taste."
    return said


def _part(title: str, text: str) -> Iterator[str]:
    if text.strip():
        yield ""
        yield f"## {title}"
        yield ""
        yield from text.strip("\n").split("\n")


def _code(text: str) -> str:
    """The text in a fence that is longer than any row of backticks in it."""
    if not text.strip():
        return ""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((fence, text.strip("\n"), fence))
