"""Functions in every state at once: one run brings each as far as it can go, loosens none, and leaves nothing for a second plan."""

from datetime import timedelta
from itertools import product

import pytest

from shipsafe.model.enforcement import EnforcePolicy, Enforcing, Ring
from tests.enforce.shop import STRANGER, TARGET, Shop, apis

OURS = f"shipsafe: code signed by profile {TARGET.profile}"


def _configurations(shop: Shop) -> dict[str, str | None]:
    """What somebody may have attached: ours, others that say the same, strangers', and ours with a stranger besides."""
    both = (shop.profile, STRANGER)
    return {
        "none": None,
        "ours": shop.configuration(shop.profile, description=OURS),
        "ours-warn": shop.configuration(shop.profile, policy="Warn", description=f"{OURS} (warn)"),
        "same": shop.configuration(shop.profile),
        "same-warn": shop.configuration(shop.profile, policy="Warn"),
        "foreign": shop.configuration(STRANGER),
        "foreign-warn": shop.configuration(STRANGER, policy="Warn"),
        "more": shop.configuration(*both),
        "more-warn": shop.configuration(*both, policy="Warn"),
    }


@pytest.mark.parametrize(("quiet", "spoiled"), [(0, False), (7, True)])
def test_one_run_is_enough_for_now_and_nothing_is_loosened(shop: Shop, quiet: int, *, spoiled: bool) -> None:
    shop.enforce = EnforcePolicy(quiet=timedelta(days=quiet), rings=(Ring(name="slow", functions=("*-slow",), mode=Enforcing.WARN),))
    layers = {"bare": None, "unsigned": shop.layer()}
    configurations = _configurations(shop)
    for (named, arn), (layer, of), ring in product(configurations.items(), layers.items(), ("fast", "slow")):
        name = f"{named}-{layer}-{ring}"
        shop.function(name, Layers=[of] if of else [])
        if arn is not None:
            shop.attach(name, arn)
    if spoiled:  # somebody let a stranger into ours, and set the one that enforces to Warn
        for key in ("ours", "ours-warn"):
            publishers = {"SigningProfileVersionArns": [shop.profile, STRANGER]}
            policy = {"UntrustedArtifactOnDeployment": "Warn"}
            shop.lambda_.update_code_signing_config(
                CodeSigningConfigArn=configurations[key], AllowedPublishers=publishers, CodeSigningPolicies=policy
            )  # fmt: skip
    names = [one.case.name for _, one in shop.survey().functions]
    before = {name: shop.mode(name) for name in names}
    _, (done,) = shop.enforced()
    assert not done.failed
    assert apis(shop.survey()) == []
    after = {name: shop.mode(name) for name in names}
    for name in names:
        assert after[name] != "none", name
        assert before[name] != "Enforce" or after[name] == "Enforce", name
        if before[name] != "Enforce":
            ready = quiet == 0 and name.endswith("-fast") and "unsigned" not in name
            assert after[name] == ("Enforce" if ready else "Warn"), name
        elif "unsigned" not in name:
            assert shop.attached(name)["AllowedPublishers"]["SigningProfileVersionArns"] == [shop.profile], name
    shop.wait(quiet + 0.1)
    shop.enforced()
    assert {name for name in names if shop.mode(name) == "Warn"} == {
        name for name in names if before[name] != "Enforce" and (name.endswith("-slow") or "unsigned" in name)
    }
    assert apis(shop.survey()) == []
