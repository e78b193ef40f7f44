"""What a distribution says of itself in `METADATA`: read as hostile text, bounded and cleaned.

Source: https://packaging.python.org/en/latest/specifications/core-metadata/.
"""

import re
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.utils import getaddresses

from packaging.metadata import RawMetadata, parse_email

from shipsafe.adapters.files import MEBIBYTE, read_bounded
from shipsafe.model.tree import Distribution, Entry

_LIMIT = 4 * MEBIBYTE
_LONGEST = 300  # characters of a value that goes into a document
_NOBODY = frozenset({"", "unknown", "none", "n/a"})


def read_metadata(distribution: Distribution, entries: Mapping[str, Entry]) -> RawMetadata:
    """The metadata of a distribution in the tree; empty when it has none that can be read (too large, not a header)."""
    entry = entries.get(f"{distribution.dist_info}/METADATA")
    if entry is None or entry.size > _LIMIT:
        return RawMetadata()
    try:
        return parse_email(read_bounded(entry.source, limit=_LIMIT, shown=entry.path))[0]
    except (ValueError, HeaderParseError, RecursionError):
        return RawMetadata()


def supplier_of(metadata: RawMetadata) -> str | None:
    """Who supplies it: Author, Author-email, Maintainer or Maintainer-email, the first that names somebody."""
    for name, address in (("author", "author_email"), ("maintainer", "maintainer_email")):
        for value in (_text(metadata.get(name)), _people(_text(metadata.get(address)))):
            if value.lower() not in _NOBODY:
                return value
    return None


def summary_of(metadata: RawMetadata) -> str | None:
    """The summary, on one line."""
    return _text(metadata.get("summary")) or None


def _people(addresses: str) -> str:
    """The names in a list of addresses, or the addresses of those without a name."""
    return ", ".join(name or address for name, address in getaddresses([addresses]) if name or address)


def _text(value: object) -> str:
    """One line of printable text, whatever was there."""
    text = value if isinstance(value, str) else ""
    text = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", " ", text)
    return " ".join(text.split())[:_LONGEST]
