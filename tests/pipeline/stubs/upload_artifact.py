"""actions/upload-artifact 7: files of the run, kept in a folder; under its rules, which have broken many a workflow.

Hidden files and folders are left out unless asked for; modes are lost; a name is taken once in a run; of several paths the nearest common
folder is the root; nothing found is a warning.
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.pipeline.stubs.given import fail, inputs, place, say

_FORBIDDEN = '":<>|*?\r\n\\/'  # in names of artifacts


def main() -> None:
    """Upload."""
    given = inputs()
    name = given["name"]
    if any(sign in name for sign in _FORBIDDEN):
        fail(f"The artifact name is not valid: {name}")
    patterns = [line.strip() for line in given["path"].splitlines() if line.strip()]
    found = _found(patterns, hidden=given["include-hidden-files"] == "true")
    if not found:
        words = f"No files were found with the provided path: {given['path']}. No artifacts will be uploaded."
        if given["if-no-files-found"] == "error":
            fail(words)
        sys.stdout.write(("::warning::" if given["if-no-files-found"] == "warn" else "") + words + "\n")
        return
    target = place("artifacts") / name
    if target.exists():
        if given["overwrite"] != "true":
            fail("Failed to CreateArtifact: Received non-retryable error: (409) Conflict: an artifact with this name already exists")
        shutil.rmtree(target)
    root = _root(patterns, found)
    digest = hashlib.sha256()
    for file in found:
        there = target / file.relative_to(root)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, there)
        there.chmod(0o644)  # whatever the machine's mask is
        digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    if meddler := os.environ.get("STUB_MEDDLER"):  # somebody who changes what lies between jobs
        subprocess.run([sys.executable, meddler, name, target], check=True)
    say(artifact_id=str(len(list(place("artifacts").iterdir()))), artifact_url=f"https://github.com/artifacts/{name}",
        artifact_digest=digest.hexdigest())  # fmt: skip


def _found(patterns: list[str], *, hidden: bool) -> list[Path]:
    files: dict[Path, None] = {}
    for pattern in patterns:
        for match in sorted(glob.glob(str(Path.cwd() / pattern), recursive=True, include_hidden=hidden)):  # noqa: PTH207 - absolute patterns
            path = Path(match)
            inside = [path] if path.is_file() else [each for each in sorted(path.rglob("*")) if each.is_file()]
            for each in inside:
                if hidden or not any(part.startswith(".") for part in each.relative_to(path).parts):
                    files[each] = None
    return list(files)


def _root(patterns: list[str], found: list[Path]) -> Path:
    fixed = [Path(*_until_pattern((Path.cwd() / pattern).parts)) for pattern in patterns]
    if len(fixed) > 1:
        return Path(os.path.commonpath(fixed))
    return fixed[0].parent if found == fixed else fixed[0]


def _until_pattern(parts: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if any(sign in part for sign in "*?["):
            break
        kept.append(part)
    return kept


if __name__ == "__main__":
    main()
