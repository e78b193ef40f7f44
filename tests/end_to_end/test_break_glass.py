"""At three in the morning, on the command line: built under an override, signed by the profile kept for that, shown, and replaced."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipsafe.flows.keys import table
from shipsafe.model.attestation import Role
from tests.end_to_end.signing_with_keys import PASSWORD, jobs, keys, kinds, manifest, project, run
from tests.end_to_end.test_sign import POLICY
from tests.local_endpoint import client, local_aws, local_root  # noqa: F401 - fixtures
from tests.tampering.world import shipsafe

__all__ = ["keys", "project", "run"]  # fixtures
WHY = "The shop is down; sam agrees"
SHELL = "import subprocess\n\n\ndef handler(event, context):\n    return subprocess.call(event['x'], shell=True)\n"


def trusting(project: Path, keys: Any) -> None:
    roles = {"ci": Role.BUILDER, "release": Role.SIGNER, "eve": Role.OVERRIDER}
    tables = "\n".join(table(keys[name][1], name=name, roles=[role]) for name, role in roles.items())
    emergency = '[break-glass]\nprofile = "pay_hotfix"\nsecond-person = true\n'
    (project / "shipsafe.toml").write_text(f'extends = "baseline"\nevidence = "kept"\n{POLICY}\n{emergency}\n{tables}\n')


@pytest.mark.usefixtures("run")  # bucket and profile
def test_a_fix_goes_out_honestly_and_a_clean_release_takes_its_place(project: Path, keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPSAFE_KEY_PASSWORD", PASSWORD)
    run = partial(shipsafe, cwd=project)
    ci, release, on_call = (str(keys[name][0]) for name in ("ci", "release", "eve"))
    with closing(client("signer")) as signer:
        signer.put_signing_profile(profileName="pay_hotfix", platformId="AWSLambda-SHA384-ECDSA")
    trusting(project, keys)
    code = next(path for path in sorted(project.rglob("app.py")) if "dist" not in path.parts)
    clean = code.read_text()
    code.write_text(SHELL)

    alone = run("build", "--key", ci, "--key", on_call, "--break-glass", WHY)
    assert (alone.code, "second person" in alone.err) == (2, True)
    stranger = run("build", "--key", ci, "--break-glass", WHY, "--second", "sam")
    assert (stranger.code, "speak as an overrider" in stranger.err) == (2, True)
    assert not (project / "dist").exists()
    built = run("build", "--key", ci, "--key", on_call, "--break-glass", WHY, "--second", "sam")
    assert built.code == 0, built.out + built.err
    assert "OVERRIDDEN  1 finding blocks (1 high)" in built.out
    assert f'"{WHY}". exit 0' in built.out

    unasked = run("sign", "--yes", "--key", release)
    assert (unasked.code, "did not pass its gates" in unasked.err) == (2, True)
    assert run("sign", "--yes", "--key", release, "--break-glass", "because").code == 2
    assert jobs() == 0
    signed = run("sign", "--yes", "--key", release, "--break-glass", WHY)
    assert signed.code == 0, signed.out + signed.err
    assert "LOCAL   lets through: lint/B602 at function:Pay: " in signed.out
    assert all("/signing-profiles/pay_hotfix/" in one["signatures"][0]["profile_version"] for one in manifest(project)["artifacts"])
    assert (manifest(project)["signing"]["decision"], "urn:shipsafe:override:v1" in kinds(project)) == ("OVERRIDDEN", True)

    looked = run("verify", "dist", "--local")
    assert (looked.code, looked.out.count("OVERRIDDEN, and not passed.") > 0) == (1, True), looked.out
    audited = run("report", "audit")
    assert f"and sam (signed by eve), from {manifest(project)['override']['at'][:10]}" in audited.out
    assert "  override  Overridden by " in audited.out
    assert "OVERRIDDEN, asked by the signer" in audited.out

    code.write_text(clean)
    assert run("build", "--key", ci).code == 0
    again = run("sign", "--yes", "--key", release)
    assert again.code == 0, again.out + again.err
    assert all("/signing-profiles/pay_dev/" in one["signatures"][0]["profile_version"] for one in manifest(project)["artifacts"])
    held = run("verify", "dist", "--local")
    assert held.code == 0, held.out
