"""Files that Python runs or obeys when it starts, before any import that the code makes.

Only folders from which Python imports count: the top of a package, and `python/` and `site-packages` of a layer. A `.pth` file
there runs each of its lines that begins with `import`; the others add folders to the module search path. Elsewhere `.pth` is a
name for data (weights of PyTorch models).

Source: https://docs.python.org/3/library/site.html.
"""

import re
from dataclasses import dataclass

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.model.tree import Entry

_ROOT = re.compile(r"^(?:python/(?:lib/python3\.\d+/site-packages/)?)?(?P<name>[^/]+(?:/__init__\.py)?)$")
_CUSTOMIZE = re.compile(r"^(?:site|user)customize(?:/__init__\.py|\.pyc?|(?:\.[A-Za-z0-9_-]+)?\.so)$")
_RUNS = re.compile(rb"(?:^|[\r\n])(?:\xef\xbb\xbf)?import[ \t]")
_LARGEST = MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What a file does when Python starts. `runs` is False where it only adds folders to the search path."""

    what: str
    runs: bool


def hook_in(entry: Entry) -> Hook | None:
    """The hook that a file is, or None.

    Raises:
        OSError: the file cannot be read.
    """
    found = _ROOT.match(entry.path)
    if found is None:
        return None
    if _CUSTOMIZE.match(found["name"]):
        return Hook(what="is imported whenever Python starts", runs=True)
    if not found["name"].endswith(".pth"):
        return None
    with entry.source.open("rb") as file:
        content = file.read(_LARGEST)
    if _RUNS.search(content) or (entry.size > _LARGEST and b"\0" not in content):
        return Hook(what="runs code whenever Python starts", runs=True)
    if b"\0" in content or not content.strip():
        return None
    return Hook(what="adds folders to the module search path whenever Python starts", runs=False)
