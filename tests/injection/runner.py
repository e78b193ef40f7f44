"""What GitHub makes of what a step leaves: commands in its log, its outputs, and the Markdown of its summary.

As actions/runner does it: lines end at CR and LF, `::name` counts at the beginning of a line after blanks, `##[name]` anywhere, names of
commands in any case (Runner.Common/ActionCommand.cs, Runner.Worker/ActionCommandManager.cs, FileCommandManager.cs).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markdown_it import MarkdownIt

_KNOWN = frozenset({
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path", "notice",
    "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
})  # fmt: skip
ANNOTATIONS = frozenset({"error", "warning", "notice"})
_OUR_HTML = re.compile(r"<br>|<!-- -->|<!-- shipsafe report [0-9a-f]{16} -->\n?")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that the runner obeys."""

    name: str
    properties: Mapping[str, str]
    data: str


def commands(log: str) -> Iterator[Command]:
    """All that a log holds."""
    for line in re.split(r"[\r\n]", log):
        trimmed = line.lstrip()
        end = trimmed.find("::", 2) if trimmed.startswith("::") else -1
        if end > 0 and (found := _command(trimmed[2:end], ",", trimmed[end + 2 :])):
            yield found
            continue
        start = line.find("##[")
        close = line.find("]", start) if start >= 0 else -1
        if close > 0 and (found := _command(line[start + 3 : close], ";", line[close + 1 :])):
            yield found


def _command(told: str, between: str, data: str) -> Command | None:
    name, _, rest = told.partition(" ")
    if name.lower() not in _KNOWN:
        return None
    properties = dict(one.strip().partition("=")[::2] for one in rest.split(between) if "=" in one)
    return Command(name=name.lower(), properties={key: _plain(value) for key, value in properties.items()}, data=_plain(data))


def _plain(text: str) -> str:
    for escaped, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escaped, char)
    return text


def outputs(file: str) -> dict[str, str]:
    """The outputs that a file of `GITHUB_OUTPUT` sets. Both forms are read, and whichever `=` or `<<` comes first decides."""
    found, lines = {}, file.split("\n")
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        equals, here = line.find("="), line.find("<<")
        if here >= 0 and (equals < 0 or here < equals):
            word = line[here + 2 :]
            end = lines.index(word)
            found[line[:here]] = "\n".join(lines[:end])
            lines = lines[end + 1 :]
        else:
            assert equals > 0, f"GitHub refuses this line: {line!r}"
            found[line[:equals]] = line[equals + 1 :]
    return found


def hidden(text: str) -> set[str]:
    """Characters that do something to a screen, or change what a person reads."""
    return {char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")}


def live(text: str) -> list[str]:
    """What Markdown holds that is more than text, tables, lists and headings: links, pictures, code, and HTML that is not ours."""
    found = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if token.type in ("html_block", "fence", "code_block") and not _OUR_HTML.fullmatch(token.content):
            found.append(f"{token.type} {token.content}")
        for part in token.children or ():
            if part.type in ("link_open", "image"):
                found.append(f"{part.type} {part.attrs.get('href') or part.attrs.get('src')}")
            elif part.type == "code_inline" or (part.type == "html_inline" and not _OUR_HTML.fullmatch(part.content)):
                found.append(f"{part.type} {part.content}")
    return found
