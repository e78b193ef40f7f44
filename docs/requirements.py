"""What the actions install: `actions/requirements*.txt`, exported from `uv.lock` with the digest of every file."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import uv

_HEAD = "# From uv.lock, by docs/generate.py: {about}\n"
_EXPORT = ("export", "--frozen", "--offline", "--no-config", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate", "--quiet")
_EXTRAS = ("sigstore", "workflows")


def requirement_files(root: Path) -> Iterator[tuple[str, str]]:
    """Path, relative to the repository at `root`, and text of each."""
    base = _blocks(_exported(root))
    uv_alone = [block for block in base if block.startswith("uv==")]
    yield "actions/requirements.txt", _HEAD.format(about="what shipsafe needs.") + "".join(base)
    yield "actions/requirements-uv.txt", _HEAD.format(about="uv, which installs the rest.") + "".join(uv_alone)
    for extra in _EXTRAS:
        more = [block for block in _blocks(_exported(root, "--extra", extra)) if block not in base]
        yield f"actions/requirements-{extra}.txt", _HEAD.format(about=f"what the extra `{extra}` needs beside it.") + "".join(more)


def _exported(root: Path, *more: str) -> str:
    command = [uv.find_uv_bin(), *_EXPORT, *more, "--project", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _blocks(text: str) -> list[str]:
    """A requirement with the lines of its digests, which are indented."""
    found: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith(" "):
            found[-1] += line
        else:
            found.append(line)
    return found
