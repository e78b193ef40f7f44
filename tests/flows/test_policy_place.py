"""The manifest says where the policy lies, seen from the output folder, whatever was named to be built."""

import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from shipsafe.flows.build import source_of
from shipsafe.flows.prepare import prepare
from shipsafe.flows.request import Request


@pytest.mark.parametrize(
    ("example", "named"),
    [
        ("orders", "."),
        ("orders", "template.yaml"),
        ("orders-cdk", "."),
        ("orders-cdk", "cdk.out"),
        ("orders-cdk", "cdk.out/manifest.json"),
        ("orders-terraform", "plan.json"),
    ],
)
def test_the_policy_of_a_release_is_found_from_its_folder(repository: Path, tmp_path: Path, example: str, named: str) -> None:
    """`cdk.out` lies below the folder that the policy, the project and its code are in."""
    folder = repository / "examples" / example
    prepared = prepare(Request(path=folder / named, today=date(2026, 11, 21)))
    place = source_of(prepared, tmp_path).policy
    assert place is not None
    assert (tmp_path / place).resolve() == folder / "shipsafe.toml"


def test_the_target_of_the_cdk_application_is_where_its_stack_is(repository: Path) -> None:
    """So that its layers, whose ARNs name a Region, are where its functions are."""
    with (repository / "examples" / "orders-cdk" / "shipsafe.toml").open("rb") as policy:
        (target,) = tomllib.load(policy)["sign"]["target"]
    manifest = json.loads((repository / "examples" / "orders-cdk" / "cdk.out" / "manifest.json").read_bytes())
    assert {one["environment"].rpartition("/")[2] for one in manifest["artifacts"].values() if "environment" in one} == {target["region"]}
