"""The command that a report names for going on with a deployment: the same functions, on the same terms, for any shell."""

import shlex
from pathlib import Path

from shipsafe.flows.deploy import command_of
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.model.override import BreakGlass


def test_it_names_what_was_asked_for() -> None:
    glass = BreakGlass(reason="Orders fail; the feed is down", by="jo", second="sam@acme.example")
    asked = DeployRequest(
        out=Path("dist"), policy=Path("ci/strict.toml"), functions=("Orders", "Report"), create=True, role="arn:aws:iam::1:role/x",
        atomic=True, break_glass=glass,
    )  # fmt: skip
    assert shlex.split(command_of(asked, "prod")) == [
        "shipsafe", "deploy", "dist", "--target", "prod", "--function", "Orders", "--function", "Report", "--policy", "ci/strict.toml",
        "--create", "--role", "arn:aws:iam::1:role/x", "--atomic", "--break-glass", glass.reason, "--second", glass.second,
    ]  # fmt: skip


def test_a_stage_stands_for_its_target() -> None:
    assert command_of(DeployRequest(out=Path("dist"), stage="prod"), "eu") == "shipsafe deploy dist --stage prod"
    skipped = DeployRequest(out=Path("dist"), stage="prod", skip_stages=True)
    assert command_of(skipped, "eu") == "shipsafe deploy dist --stage prod --unsafe-skip-stages"
