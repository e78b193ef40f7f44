"""`shipsafe verify --function` and `--template` on the command line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.evidence.speakers import key, trusted_key
from tests.tampering.world import shipsafe

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint
    from tests.verify.live_world import World

TEMPLATE = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      Code: src
"""


@pytest.fixture
def world(local_aws: "Endpoint", tmp_path: Path) -> "World":
    """A folder with a policy that trusts the keys of the evidence, which is kept in a folder; `orders` runs."""
    from shipsafe.evidence.envelope import read_envelope, statement_of  # noqa: PLC0415 - as the endpoint, for those who ask
    from shipsafe.evidence.store import open_store  # noqa: PLC0415 - likewise
    from tests.verify.live_world import CODE, make_world  # noqa: PLC0415 - likewise

    world = make_world(local_aws, tmp_path)
    world.deploy("orders", world.signed("Orders", {"app.py": CODE}))
    store = open_store("kept", home=tmp_path)
    for line in world.evidence:
        store.keep(envelope := read_envelope(line, shown="orders"), statement_of(envelope, shown="orders"))
    target = world.targets[0]
    keys = "".join(
        f"[[attest.key]]\nname = \"{name}\"\nfor = [\"{role}\"]\npublic = '''\n{trusted_key(key(name)).pem}'''\n"
        for name, role in (("ci", "builder"), ("signer", "signer"))
    )
    (tmp_path / "shipsafe.toml").write_text(
        f'evidence = "kept"\n{keys}\n[[sign.target]]\nname = "prod"\naccount = "{target.account}"\nregion = "{target.region}"\n'
        f'profile = "{target.profile}"\nbucket = "artifacts"\n'
    )
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return world


def test_a_function_that_holds_is_found_without_a_release_and_each_line_says_local(world: "World") -> None:
    done = shipsafe("verify", "--function", "orders", cwd=world.folder)
    assert (done.code, done.err) == (0, ""), done.out
    lines = done.out.splitlines()
    assert lines[0].startswith("LOCAL The chain of function:orders:$LATEST holds")
    assert all(line.startswith("LOCAL") for line in lines)


def test_other_formats_say_local_in_a_note_and_end_with_the_same_code(world: "World") -> None:
    world.lambda_.delete_function_code_signing_config(FunctionName="orders")
    for form in ("json", "markdown", "sarif"):
        done = shipsafe("verify", "--function", "orders", "--format", form, cwd=world.folder)
        assert done.code == 5
        assert "LOCAL: what answered is the endpoint on this machine" in done.out
    first = shipsafe("verify", "--function", "orders", "--quiet", cwd=world.folder)
    assert first.out.count("\n") == 1
    assert "broken at `code-signing-config`" in first.out


def test_json_has_every_link_with_its_id(world: "World") -> None:
    done = shipsafe("verify", "--function", "orders:$LATEST", "--format", "json", cwd=world.folder)
    links = [link["id"] for chain in json.loads(done.out)["chains"] for link in chain["links"]]
    assert links == [
        *("code-sha256", "bundle", "sbom", "provenance", "gates", "verdict", "signing-record"),
        *("function-signature", "signing-job", "signing-profile", "state"),
        *("code-signing-config", "publishers", "sharing", "layers", "configuration"),
    ]


def test_a_template_with_a_map_is_verified(world: "World") -> None:
    done = shipsafe("verify", "--template", "template.yaml", "--map", "Orders=orders", "--region", "eu-west-1", cwd=world.folder)
    assert done.code == 0, done.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--template", "template.yaml"), "does not say what function Orders is called"),
        (("--template", "template.yaml", "--map", "Orders"), "is not of the form ID=NAME"),
        (("--template", "template.yaml", "--map", "Orders=a", "--map", "Orders=b"), "is not of the form ID=NAME"),
        (("--template", "nothing.yaml"), "There is no such folder or file"),
        (("--function", "orders", "dist"), "Files and functions are two questions"),
        (("--function", "orders", "--all-regions", "--region", "eu-west-1"), "One Region and all of them"),
        (("--function", "no/name"), "cannot be the name of a function"),
        (("--function", "orders", "--stack", "shop"), "and no template"),
        (("--region", "eu-west-1"), "are about functions that run"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_before_anything_is_looked_at(world: "World", words: tuple[str, ...], says: str) -> None:
    done = shipsafe("verify", *words, cwd=world.folder)
    assert done.code == 2
    assert says in done.err


def test_a_stack_that_nobody_may_look_at_ends_with_4(world: "World") -> None:
    done = shipsafe("verify", "--template", "template.yaml", "--stack", "shop", cwd=world.folder)
    assert done.code == 4
    assert "ListStackResources answered" in done.err


def test_text_that_aws_answers_cannot_forge_a_line(world: "World") -> None:
    world.refuse("GetFunction", code="AccessDeniedException")
    waiting = world.endpoint.faults.waiting()[0]
    world.endpoint.faults.clear()
    world.endpoint.faults.add(replace(waiting, message="no\n\x1b[2JExit 0: every link that was asked for holds."))
    done = shipsafe("verify", "--function", "orders", cwd=world.folder)
    assert done.code == 4
    assert "\x1b" not in done.out
    assert not [line for line in done.out.splitlines() if line.removeprefix("LOCAL ").startswith("Exit 0")]
