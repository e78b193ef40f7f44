"""actions/attest: a token is asked for, and a bundle names the subjects. Nothing is signed: tests of ours do not verify GitHub's part."""

import hashlib
import json
import os
from pathlib import Path

from tests.pipeline.stubs.given import fail, inputs, need, place, say
from tests.pipeline.stubs.identity import identity_token


def main() -> None:
    """Attest."""
    given = inputs()
    need("id-token: write")
    need("attestations: write")
    identity_token("sigstore")
    subjects = _subjects(given)
    if not subjects:
        fail("One of subject-path, subject-digest, or subject-checksums must be provided")
    bundle = place("attestations") / f"{len(list(place('attestations').iterdir()))}.json"
    bundle.write_text(json.dumps({"subjects": subjects, "predicate": given["predicate-path"], "job": os.environ["GITHUB_JOB"]}))
    say(bundle_path=str(bundle), attestation_id="1", attestation_url="https://github.com/attestations/1")


def _subjects(given: dict[str, str]) -> dict[str, str]:
    if given["subject-checksums"]:
        lines = given["subject-checksums"].splitlines()  # or a file that holds them, which nobody of ours has
        return {name.lstrip(" *"): f"sha256:{digest}" for digest, _, name in (line.partition(" ") for line in lines)}
    if given["subject-digest"]:
        return {given["subject-name"]: given["subject-digest"]}
    found: dict[str, str] = {}
    for pattern in given["subject-path"].replace(",", "\n").split("\n"):
        absolute = Path(os.path.abspath(pattern.strip())) if pattern.strip() else None  # noqa: PTH100 - dots, and no links
        if absolute is not None:
            for path in sorted(Path("/").glob(str(absolute)[1:])):
                found[path.name] = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return found


if __name__ == "__main__":
    main()
