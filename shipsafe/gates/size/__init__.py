"""How large a package may be, for the gate `package`.

Reference: AWS, "Lambda quotas".
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.model.artifact import Archive
from shipsafe.model.finding import Finding, Rule
from shipsafe.model.gate import Inquiry
from shipsafe.model.project import Function
from shipsafe.model.severity import Severity
from shipsafe.model.tree import StagedTree

_UNZIPPED = 250 * MEBIBYTE  # bytes, layers included
_ZIPPED = 50 * MEBIBYTE  # bytes, for an upload without S3

TOO_LARGE = Rule(
    id="package/too-large",
    severity=Severity.HIGH,
    summary="The package and its layers are larger than Lambda takes.",
    remedy="Leave out what is not needed at run time (.shipsafeignore), or split the function.",
    why="Lambda refuses more than 250 MB unzipped, layers included. The 50 MB for direct uploads do not matter here: packages are "
    "deployed through S3.",
    bad="requirements.txt:\n  torch==2.9.0      # 900 MB unzipped, with what it needs",
    good="requirements.txt:\n  onnxruntime==1.23.2",
    references=("https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",),
)


def size_findings(inquiry: Inquiry, notes: list[str]) -> Iterator[Finding]:
    """Whether the tree and those of its layers are more than Lambda unzips; `notes` takes what is left for layers that are not here."""
    trees = (inquiry.staged, *inquiry.layer_trees)
    total = sum(tree.size for tree in trees)
    if total > _UNZIPPED:
        parts = ", ".join(f"{tree.subject.partition(':')[2]} {_megabytes(tree.size)}" for tree in trees)
        largest = ", ".join(f"{name} {_megabytes(size)}" for name, size in _largest(trees))
        message = f"{_megabytes(total)} unzipped ({parts}); Lambda takes {_megabytes(_UNZIPPED)}. The largest: {largest}."
        yield Finding(
            rule=TOO_LARGE.id,
            subject=inquiry.subject.subject,
            message=message,
            remedy=TOO_LARGE.remedy,
            severity=TOO_LARGE.severity,
            location=inquiry.subject.location,
            key="unzipped",
            effect=TOO_LARGE.effect,
            references=TOO_LARGE.references,
        )
    elif isinstance(inquiry.subject, Function) and any(ref.local is None for ref in inquiry.subject.layers):
        left = _megabytes(_UNZIPPED - total)
        notes.append(f"The size of layers from elsewhere is not known; {left} are left for them.")


def _megabytes(size: int) -> str:
    """In the megabytes of AWS's quotas, which are 1024 * 1024 bytes; what is begun counts."""
    return f"{math.ceil(size / MEBIBYTE)} MB"


def _largest(trees: Iterable[StagedTree]) -> list[tuple[str, int]]:
    sizes: Counter[str] = Counter()
    for tree in trees:
        for entry in tree.entries:
            sizes[entry.path.removeprefix("python/").partition("/")[0]] += entry.size
    return sizes.most_common(3)


def zipped_note(archive: Archive) -> str | None:
    """What to say of a zip over 50 MB: no finding, because packages are deployed through S3."""
    if archive.size <= _ZIPPED:
        return None
    return f"{_megabytes(archive.size)} zipped is more than the {_megabytes(_ZIPPED)} that Lambda takes directly; deploy it through S3."
