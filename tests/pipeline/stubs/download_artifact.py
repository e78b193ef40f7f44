"""actions/download-artifact 8: what upload-artifact kept, under its rules.

By `name` it lands in the path itself; by `pattern` each in a folder of its name, but one alone in the path itself, too. A name that is not
there is an error, a pattern that matches nothing is not.
"""

import os
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

from tests.pipeline.stubs.given import fail, inputs, place, say


def main() -> None:
    """Download."""
    given = inputs()
    path = Path(os.environ["GITHUB_WORKSPACE"], given["path"])
    kept = sorted(place("artifacts").iterdir())
    if given["name"]:
        kept = [one for one in kept if one.name == given["name"]]
        if not kept:
            fail(f"Unable to download artifact(s): Artifact not found for name: {given['name']}")
    elif given["pattern"]:
        kept = [one for one in kept if fnmatchcase(one.name, given["pattern"])]
    flat = bool(given["name"]) or given["merge-multiple"] == "true" or len(kept) == 1
    for one in kept:
        shutil.copytree(one, path if flat else path / one.name, dirs_exist_ok=True)
    say(download_path=str(path))


if __name__ == "__main__":
    main()
