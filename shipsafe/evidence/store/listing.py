"""What the SBOM in a statement lists, without reading what nobody asked about.

    statement, components = listing(envelope, shown=...)

An SBOM of ours stands in its statement with a line for each component (`sbom.stated`), and no text of JSON holds a line break: so the lines
between `"components": [` and `]` are the components, each whole. Lines of files are passed over, of a distribution's line the end is read,
and the rest of the statement is parsed as ever. Whatever is laid out in another way is parsed whole; what comes out is the same, and takes
three times as long. Whose word it is has to be asked as of every statement.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shipsafe.adapters.json_file import each_key_once
from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.loose import text
from shipsafe.model.attestation import Envelope, Statement

_KEY = b'"components"'
_BEGIN, _END = b'\n "components": [\n', b"\n ],\n"
_HEAD, _FILE, _FILE_END = b'  {"bom-ref": "', b'  {"bom-ref": "file:', b'"type": "file"}'
# The end of a distribution's line where its texts hold no backslash, so that every quotation mark begins or ends one.
_TAIL = re.compile(
    rb'"name": "([^"]*)", "properties": \[((?:\{"name": "[^"]*", "value": "[^"]*"\}(?:, )?)*)\], "purl": "([^"]*)", '
    rb'(?:"supplier": \{[^{}]*\}, )?"type": "library", "version": "([^"]*)"\}'
)
_OURS = re.compile(rb'"name": "shipsafe:(index|source)", "value": "([^"]*)"')
Listed = tuple[str, str, str, str, str]  # name, version, package URL, index, source


def listing(envelope: Envelope, *, shown: str) -> tuple[Statement, list[Listed]]:
    """The statement, perhaps without its components, and every distribution that it lists, in its order. Files are not told.

    Raises:
        IntegrityError: it is no statement of an SBOM that could be read; what cannot be read is not "nothing".
    """
    payload = envelope.payload
    begin = payload.find(_BEGIN) + len(_BEGIN)
    end = payload.find(_END, begin - 1)
    if begin >= len(_BEGIN) and end > 0 and payload.find(_KEY, begin, end) < 0:
        try:
            first = _files_from(payload, begin, end)
            lines = payload[begin:first].removesuffix(b"\n").split(b"\n") if first > begin else ()
            found = [one for line in lines if (one := _of_line(line)) is not None]
            bare = replace(envelope, payload=payload[: begin - 1] + payload[end + 1 :])
            statement = statement_of(bare, shown=shown)  # which refuses a second list
            if statement.predicate.get("components") == []:  # that list, and not one that stands elsewhere in the statement
                return statement, found
        except (ValueError, IntegrityError):
            pass  # laid out in another way, or broken: reading it whole tells which
    statement = statement_of(envelope, shown=shown)
    return statement, list(_whole(statement, shown))


def _files_from(payload: bytes, begin: int, end: int) -> int:
    """Where the last lines begin that are all files, which are most of an SBOM; `end` where one of them is not surely a file alone.

    As `_of_line` would find of each: no backslash, one component a line, and `"type": "file"` the only type of each.
    """
    first = payload.find(_FILE, begin, end)
    if first < 0 or payload[first - 1 : first] != b"\n":
        return end
    lines = payload.count(b"\n", first, end) + 1
    counts = (
        payload.count(b"\n" + _FILE, first, end) + 1,
        payload.count(b'"bom-ref"', first, end),
        payload.count(b'"type"', first, end),
        payload.count(_FILE_END + b",\n", first, end) + payload.endswith(_FILE_END, first, end),
    )
    return first if set(counts) == {lines} and payload.find(b"\\", first, end) < 0 else end


def _of_line(line: bytes) -> Listed | None:
    """The distribution in one line, None for a file.

    Raises:
        ValueError: it is no component alone.
    """
    plain = line.removesuffix(b",")
    # One component, and none behind another in its line: each has one of these, and no key is spelt with an escape.
    if b"\\" not in plain and plain.startswith(_HEAD) and plain.count(b'"bom-ref"') == 1:
        if plain.startswith(_FILE) and plain.endswith(_FILE_END) and plain.count(b'"type"') == 1:
            return None
        begin = plain.rfind(b'"name": "', 0, plain.rfind(b'"properties": ['))
        if plain.count(b'"purl"') == 1 and (tail := _TAIL.fullmatch(plain, max(begin, 0))):
            ours = dict(_OURS.findall(tail[2]))
            found = (tail[1], tail[4], tail[3], ours.get(b"index", b""), ours.get(b"source", b""))
            name, version, purl, index, source = map(bytes.decode, found)
            return name, version, purl, index, source
    return _of(json.loads(plain, object_pairs_hook=each_key_once))


def _whole(statement: Statement, shown: str) -> Iterator[Listed]:
    entries = statement.predicate.get("components")
    if not isinstance(entries, list):
        raise IntegrityError("It is no SBOM: it has no list of components.", remedy="Find out which tool wrote it.", path=shown)
    for entry in entries:
        try:
            found = _of(entry)
        except ValueError as error:
            raise IntegrityError(f"It is no SBOM that can be read: {error}.", remedy="Find out which tool wrote it.", path=shown) from error
        if found is not None:
            yield found


def _of(entry: Any) -> Listed | None:
    """A component's texts, "" for what it does not say; None for a file.

    Raises:
        ValueError: it is no component, or holds others, which no SBOM of ours does.
    """
    if not isinstance(entry, dict) or entry.get("components"):
        message = "a component is no table, or holds others"
        raise ValueError(message)
    if entry.get("type") == "file":
        return None
    properties = entry.get("properties")
    told = {one.get("name"): one for one in properties if isinstance(one, dict)} if isinstance(properties, list) else {}
    index, source = (text(told.get(f"shipsafe:{key}", {}), "value") for key in ("index", "source"))
    return text(entry, "name"), text(entry, "version"), text(entry, "purl"), index, source
