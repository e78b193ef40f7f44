"""Which functions a release means: as the policy calls them, else the template, else the release; never by guess."""

from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, NothingError
from shipsafe.flows.enforce import names_of
from shipsafe.model.deployment import DeployPolicy, DeployRule
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.packing.manifest import Told
from shipsafe.packing.release import Release, ReleasedArtifact
from tests.enforce.shop import bare_policy


def _policy(**names: str) -> Policy:
    rules = tuple(DeployRule(function=function, changes={"name": name}) for function, name in names.items())
    return replace(bare_policy(), deploy=DeployPolicy(rules=rules))


def _release(*artifacts: tuple[str, Told]) -> Release:
    made = tuple(
        ReleasedArtifact(
            name=subject.partition(":")[2], subject=subject, path=Path("a.zip"), sha256="", sha512="", code_sha256="", content_digest="",
            size=1, entries=1, sbom=None, sbom_sha256="", told=told, prebuilt=False, location=Location(path="template.yaml"),
        )
        for subject, told in artifacts
    )  # fmt: skip
    return Release(out=Path("dist"), document={}, artifacts=made)


def test_the_policy_then_the_template_then_the_release_say_what_a_function_is_called() -> None:
    release = _release(("function:Orders", Told(function_name="orders-prod")), ("function:Billing", Told(function_name="billing")),
                       ("function:Plain", Told()), ("layer:Shared", Told()))  # fmt: skip
    assert names_of(release, _policy(Billing="billing-prod")) == ("orders-prod", "billing-prod", "Plain")


def test_a_name_that_is_not_certain_is_asked_of_the_policy() -> None:
    release = _release(("function:Orders", Told(unclear=("name: it depends on AWS::StackName", "alias: it has 2"))))
    with pytest.raises(ConfigError, match="does not say for certain what Orders is called: name: it depends on AWS::StackName"):
        names_of(release, _policy())
    assert names_of(release, _policy(Orders="orders-prod")) == ("orders-prod",)


def test_a_release_of_layers_alone_means_nobody() -> None:
    with pytest.raises(NothingError, match="holds no function"):
        names_of(_release(("layer:Shared", Told())), _policy())
