r"""Text from outside, made harmless: whatever a template, a package or an advisory says, it can only be read.

A package's summary may hold escape sequences that rewrite the screen, direction marks that turn `exe.txt` around, a line
break that forges a second finding, or a workflow command that GitHub obeys when it sees it in a log. Every text that shipsafe
did not write itself goes through `clean` once, in each report, as late as possible.

    >>> clean("\x1b[2Kevil\r\nok  FAIL\u202etxt")
    'evil ok FAILtxt'
    >>> clean("::error::forged")
    ': :error::forged'
"""

import re
import unicodedata

# ECMA-48: control sequences, and the string sequences (OSC, DCS, SOS, PM, APC) where they are ended properly. An
# unterminated one loses only its introducer, so that it cannot swallow the rest of a sentence. A body ends where the next
# sequence begins: looking to the end of the text from each of many introducers would take forever.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\n\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
_BLANK = re.compile(r"[^\S\n]+")
_BREAK = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
# A runner obeys `::name::` at the start of a line, where a wrapped line may begin anywhere, and `##[name]` anywhere in one
# (actions/runner, ActionCommand.cs). `AWS::Lambda::Function` stays as it is.
_COMMAND = re.compile(
    r"^(\s*):(?=:)"
    r"|:(?=:\s*(?:add-(?:mask|matcher|path)|debug|echo|end-?group|error|group|notice|remove-matcher|save-state|"
    r"set-(?:env|output)|stop-commands|warning)\b)",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(r"[\\`*_\[\]#!|~$]")
# GitHub looks for mentions, issues and addresses after rendering; an empty comment in between keeps them from being any.
_LIVE = re.compile(r"@(?=\w)|\\#(?=\d)|(?<=://)|(?<=\bwww\.)", re.IGNORECASE)
_INVISIBLE = {"Cc", "Cf", "Co"}


def clean(text: str, *, lines: bool = False) -> str:
    r"""`text` without control and escape codes, direction marks, invisible characters and commands to a workflow runner.

    Blanks become one space. With `lines`, line breaks are kept (as `\n`) and the indentation of each line too; else they
    become a space as well. `clean(clean(text)) == clean(text)`.
    """
    text = _BREAK.sub("\n", _SEQUENCE.sub("", text))
    if lines:
        return "\n".join(_indentation(line) + _one_line(line) for line in text.split("\n")).strip("\n")
    return _one_line(text.replace("\n", " "))


def short(text: str, limit: int) -> str:
    """`clean(text)`, cut at `limit` characters; what was cut ends in `...`."""
    # Cleaning costs time per character, so a text of a hundred megabytes is cut before; what is cut there is far beyond it.
    cleaned = clean(text[: 8 * limit])
    return cleaned if len(cleaned) <= limit else f"{cleaned[: limit - 3].rstrip()}..."


def for_markdown(text: str, limit: int = 500) -> str:
    """`short(text, limit)` as Markdown that renders as that text: no table that breaks, HTML, link, picture or mention."""
    cleaned = short(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LIVE.sub(lambda found: f"{found[0]}<!-- -->", _MARKDOWN.sub(r"\\\g<0>", cleaned))


def _indentation(line: str) -> str:
    return " " * (len(line) - len(line.lstrip(" ")))


def _one_line(text: str) -> str:
    text = "".join(_visible(char) for char in text) if not text.isprintable() else text
    text = _BLANK.sub(" ", text).strip()
    return _COMMAND.sub(r"\1: ", text).replace("##[", "## [")


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cs":  # half of a character: no encoding can write it
        return "\N{REPLACEMENT CHARACTER}"
    if char == "\t" or category in {"Zs", "Zl", "Zp"}:
        return " "
    # "Not assigned" depends on the Python that runs us, and the same record must give the same text: it stays.
    return "" if category in _INVISIBLE else char
