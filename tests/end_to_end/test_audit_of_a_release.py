"""`build --key`, `sign --key`, then `report audit` from the store alone: what an auditor sees a year later."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests.end_to_end.signing_with_keys import Run, keys, manifest, project, run, trusting
from tests.local_endpoint import local_aws, local_root  # noqa: F401 - fixtures

__all__ = ["keys", "project", "run"]  # fixtures


def test_a_release_is_audited_without_its_files(run: Run, project: Path, keys: Any) -> None:
    (ci, builder), (release, signer) = keys["ci"], keys["release"]
    trusting(project, "strict", ci=builder, release=signer)
    assert run("build", "--key", ci).code == 0
    signed = run("sign", "--yes", "--key", release)
    assert signed.code == 0, signed.out + signed.err
    entries = {one["name"]: one for one in manifest(project)["artifacts"]}
    shutil.rmtree(project / "dist")

    done = run("report", "audit", "--format", "json")
    assert done.code == 0, done.out + done.err
    releases = {one["name"]: one for one in json.loads(done.out)["releases"]}
    assert releases.keys() == entries.keys()
    for name, told in releases.items():
        assert told["sha256"] == entries[name]["digests"]["sha256"]
        assert [one["builder"] for one in told["built"]] == ["urn:shipsafe:builder:local"]
        assert sorted((one["asked_by"], one["decision"]) for one in told["decided"]) == [("builder", "PASS"), ("signer", "PASS")]
        assert [one["code_sha256"] for one in told["signed"]] == [one["code_sha256"] for one in entries[name]["signatures"]]
        assert {one["standing"] for one in told["statements"]} == {"vouched"}
        assert sorted((one["kind"], *one["by"]) for one in told["statements"]) == [
            ("gates", "ci"), ("gates", "release"), ("provenance", "ci"), ("signing", "release"),
        ]  # fmt: skip

    for path in (project / "kept").rglob("gates-*.json"):
        path.write_bytes(path.read_bytes().replace(b'"payload":"', b'"payload":"e30', 1))
    again = run("report", "audit")
    assert again.code == 5
    assert again.out.count("It is not what was filed") == 2 * len(entries)
