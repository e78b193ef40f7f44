"""What `shipsafe inspect` prints, and how it ends."""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from tests.end_to_end.program import Ended, shipsafe
from tests.signing import made

SIGNED = made.signed_zip()
Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Inspect these bytes, with a policy that trusts the tests' root unless it says otherwise."""

    def inspect(
        archive: bytes, *words: str, roots: str = f'roots = ["{made.chain().root}"]', env: Mapping[str, str] | None = None
    ) -> Ended:
        (tmp_path / "orders.zip").write_bytes(archive)
        (tmp_path / "shipsafe.toml").write_text(f'extends = "baseline"\n[sign]\n{roots}\n')
        return shipsafe("inspect", "orders.zip", *words, cwd=tmp_path, env=env)

    return inspect


def test_a_signed_zip_says_all_about_itself(run: Run) -> None:
    done = run(SIGNED)
    digest = hashlib.sha256(SIGNED).digest()
    days = f"{made.EXPIRES:%Y-%m-%d %H:%M:%S} UTC (in "
    lines = done.out.splitlines()
    assert done.code == 0, done.err
    assert lines[:7] == [
        f"orders.zip: {len(SIGNED)} bytes, 5 entries",
        f"  SHA-256          {digest.hex()}",
        f"  CodeSha256       {base64.b64encode(digest).decode()}",
        "  platform         AWSLambda-SHA384-ECDSA",
        f"  job              {made.JOB}",
        f"  profile version  {made.PROFILE}",
        "  signed at        2026-03-01 12:30:15 UTC",
    ]
    assert lines[7].startswith(f"  expires          {days}")
    assert lines[8].startswith("  contents         as signed, SHA-384 ")
    assert lines[9] == "  certificates     CN=signer,O=Tests"
    links = made.chain().links
    assert [line.strip() for line in lines if "SHA-256 " in line][1:] == [f"SHA-256 {link.sha256}" for link in links]
    assert lines[-2:] == [f"  root             set by the policy: {made.chain().root}", "The signature holds."]


def test_it_says_so_in_json_as_well(run: Run) -> None:
    done = run(SIGNED, "--format", "json")
    document = done.report
    signature = document.pop("signature")
    digest = hashlib.sha256(SIGNED).digest()
    assert document == {
        "schema_version": 1,
        "file": "orders.zip",
        "size": len(SIGNED),
        "sha256": digest.hex(),
        "code_sha256": base64.b64encode(digest).decode(),
        "entries": 5,
        "content_digest": signature["message_digest"],
        "intact": True,
        "local": False,
        "problems": [],
        "notes": [],
        "exit_code": 0,
    }
    assert signature["job"] == made.JOB
    assert signature["signed_at"] == "2026-03-01T12:30:15.250000+00:00"
    assert signature["root"] == {"sha256": made.chain().root, "trust": "policy"}
    assert [one["sha256"] for one in signature["certificates"]] == [link.sha256 for link in made.chain().links]


def test_a_root_that_nobody_vouches_for_is_named(run: Run) -> None:
    done = run(SIGNED, roots="")
    assert done.code == 5
    assert done.out.endswith(
        f"  root             nobody vouches for it: {made.chain().root}\n\n"
        f"The signature ends in a root that nobody vouches for: {made.chain().root}. "
        'If you know whose it is, add it to the policy: `[sign] roots = ["..."]`; '
        "that of `shipsafe local` counts only where SHIPSAFE_LOCAL_ROOT says it.\n"
    )


def test_a_policy_can_be_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(f'[sign]\nroots = ["{made.chain().root.upper()}"]\n')
    assert run(SIGNED, "--policy", "release.toml", roots="").code == 0


def test_a_zip_without_a_signature_proves_nothing(run: Run) -> None:
    done = run(made.Zip().bytes())
    assert done.code == 5
    assert done.out.splitlines()[-1] == "This zip carries no signature. Sign it: `shipsafe sign`."


def test_contents_that_were_not_signed_are_named(run: Run) -> None:
    inner = made.inner_digest([*made.FILES, ("META_INF/", b"")])
    done = run(made.signed_zip([*made.FILES, ("evil.py", b"")], signer=lambda _: made.sign(inner)))
    assert done.code == 5
    assert "  contents         NOT as signed, SHA-384 " in done.out
    assert done.out.splitlines()[-1].startswith("The contents are not those that were signed: an entry was changed,")


def test_an_expired_signature_is_named(run: Run) -> None:
    done = run(made.signed_zip(signer=lambda inner: made.sign(inner, expires=made.AT + timedelta(days=2))))
    assert done.code == 5
    assert "  expires          2026-03-03 12:30:15 UTC (expired)" in done.out
    assert done.out.splitlines()[-1] == "The signature expired on 2026-03-03. Sign the unsigned zip again."


def test_all_that_is_wrong_is_said_at_once(run: Run) -> None:
    inner, expires = b"\0" * 48, made.AT + timedelta(days=2)
    done = run(made.signed_zip(signer=lambda _: made.sign(inner, expires=expires)), "--format", "json", roots="")
    assert done.code == done.report["exit_code"] == 5
    assert [problem.split(":")[0].split(" ")[:3] for problem in done.report["problems"]] == [
        ["The", "contents", "are"],
        ["The", "signature", "ends"],
        ["The", "signature", "expired"],
    ]


def test_a_layout_that_is_not_known_is_said_and_the_digests_of_the_file_still_are(run: Run) -> None:
    archive = made.signed_zip(signer=lambda _: b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n")
    done = run(archive)
    assert done.code == 5
    assert f"  SHA-256          {hashlib.sha256(archive).hexdigest()}" in done.out
    assert done.out.splitlines()[-1].startswith("The layout of the signature is unknown: its structure cannot be read.")
    assert run(archive, "--format", "json").report["signature"] is None


@pytest.mark.parametrize("data", [b"", b"not a zip", SIGNED[:-7], SIGNED + b"#!"])
def test_what_is_no_zip_is_said(run: Run, data: bytes) -> None:
    done = run(data)
    assert done.code == 5
    assert "The signature holds." not in done.out


@pytest.mark.parametrize("words", [("--local",), ()])
def test_under_the_local_root_every_line_says_so(run: Run, words: tuple[str, ...]) -> None:
    env = {"SHIPSAFE_LOCAL_ROOT": made.chain().root} | ({} if words else {"AWS_ENDPOINT_URL": "http://localhost:4566"})
    done = run(SIGNED, *words, env=env)
    assert done.code == 0, done.err
    assert all(line.startswith("LOCAL") for line in done.out.splitlines())
    assert f"LOCAL   root             of the local endpoint, not AWS: {made.chain().root}" in done.out
    assert run(SIGNED, *words, "--format", "json", env=env).report["local"] is True


def test_the_local_root_alone_is_not_honoured(run: Run) -> None:
    assert run(SIGNED, roots="", env={"SHIPSAFE_LOCAL_ROOT": made.chain().root}).code == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "yaml"), "There is no format 'yaml'."),
        (("--local",), "--local honours the root in SHIPSAFE_LOCAL_ROOT, which is not set."),
        (("--policy", "missing.toml"), "missing.toml"),
    ],
)
def test_a_command_line_that_means_nothing_is_exit_2(run: Run, words: tuple[str, ...], message: str) -> None:
    done = run(SIGNED, *words)
    assert done.code == 2
    assert message in done.err


def test_what_is_not_there_is_exit_2(tmp_path: Path) -> None:
    done = shipsafe("inspect", "orders.zip", cwd=tmp_path)
    assert (done.code, done.err) == (2, "error: orders.zip: There is no such file. Name a zip.\n")
    os.mkfifo(tmp_path / "pipe.zip")
    assert shipsafe("inspect", "pipe.zip", cwd=tmp_path).code == 2
    folder = shipsafe("inspect", ".", cwd=tmp_path)
    assert (folder.code, folder.err) == (2, "error: .: This is no file. Name a zip.\n")


def test_names_from_outside_cannot_write_on_the_screen(run: Run) -> None:
    root = made.certify("Root")
    leaf = made.certify("\x1b[2Jsigner\u202e", root, ca=False, days=3)
    by = made.Chain((leaf, root))
    done = run(made.signed_zip(signer=lambda inner: made.sign(inner, by)))
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
