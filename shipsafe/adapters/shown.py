"""Text that somebody else wrote, made fit for a message."""

import unicodedata

_SHOWN = 80  # characters that a message shows


def shown(text: str, limit: int = _SHOWN) -> str:
    """Text, fit for a message: one line, no control characters, at most `limit` characters and an ellipsis."""
    clean = "".join("\N{REPLACEMENT CHARACTER}" if _is_hidden(char) else char for char in text[:limit])
    return clean if len(text) <= limit else f"{clean}..."


def _is_hidden(char: str) -> bool:
    return char != " " and unicodedata.category(char)[0] in "CZ"
