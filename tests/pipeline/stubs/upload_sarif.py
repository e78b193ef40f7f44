"""github/codeql-action/upload-sarif: the file is kept under GitHub's limits: 10 MB gzipped, 20 runs, 25,000 results a run."""

import gzip
import json
import os
from pathlib import Path

from tests.pipeline.stubs.given import fail, inputs, need, place, say

_BYTES, _RUNS, _RESULTS = 10_000_000, 20, 25_000


def main() -> None:
    """Upload."""
    given = inputs()
    need("security-events: write")
    path = Path(os.environ["GITHUB_WORKSPACE"], given["sarif_file"])
    files = sorted(path.glob("*.sarif")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        fail(f"Path does not exist: {path}")
    for file in files:
        text = file.read_bytes()
        runs = json.loads(text)["runs"]
        if len(gzip.compress(text)) > _BYTES or len(runs) > _RUNS or any(len(run["results"]) > _RESULTS for run in runs):
            fail(f"{file.name} is beyond the limits of code scanning")
        kept = place("code-scanning") / f"{given['category'].replace('/', '_') or 'default'}-{file.name}"
        kept.write_bytes(text)
    say(sarif_id="1")


if __name__ == "__main__":
    main()
