"""Several functions of a release, and a layer that they use: in the order of the manifest, several at once, all or none."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipsafe.errors import IncompleteError
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.pki import LocalRoot
from shipsafe.model.deployment import Ending
from shipsafe.verify import verify_functions
from tests.deploy.scene import Scene, make_scene
from tests.deploy.shop import SAME, make_shop


def functions(shop: Scene) -> None:
    for name in ("pay-prod", "stock-prod"):
        shop.function(name)


def test_layers_are_published_before_the_functions_that_use_them(shop: Scene) -> None:
    """And a second time the version that is there is taken."""
    functions(shop)
    done = shop.deploy()
    assert done.exit_code == 0, done.deployments
    assert [(one.function, one.ending, one.version) for one in done.deployments] == [
        ("pay-prod", Ending.DEPLOYED, "2"), ("stock-prod", Ending.DEPLOYED, "2"),
    ]  # fmt: skip
    told = shop.lambda_.get_function_configuration(FunctionName="pay-prod", Qualifier="live")
    assert [one["Arn"].rpartition(":layer:")[2] for one in told["Layers"]] == ["Common:1"]
    assert told["Layers"][0]["SigningJobArn"] == shop.all_signed["Common"].job
    assert not shop.plan().changes
    assert [one["Version"] for one in shop.lambda_.list_layer_versions(LayerName="Common")["LayerVersions"]] == [1]


def test_a_layer_that_somebody_took_out_of_the_release_is_missed_before_anything_is_changed(shop: Scene) -> None:
    """Else its name would go to Lambda as an ARN."""
    shop.function("pay-prod")
    manifest = shop.desk.dist / "shipsafe.json"
    document = json.loads(manifest.read_text())
    document["artifacts"] = [one for one in document["artifacts"] if one["name"] != "Common"]
    manifest.write_text(json.dumps(document))
    with pytest.raises(IncompleteError, match="does not hold layer 'Common'"):
        shop.plan(functions=("Pay",))
    assert shop.tags("pay-prod") == {}


def test_only_the_function_that_was_named_is_deployed(shop: Scene) -> None:
    functions(shop)
    done = shop.deploy(functions=("Stock",))
    assert [one.function for one in done.deployments] == ["stock-prod"]
    assert shop.alias("pay-prod") == ("1", {})
    assert not shop.lambda_.list_layers()["Layers"], "Stock uses none"


def test_where_one_fails_the_others_go_live_all_the_same(shop: Scene) -> None:
    functions(shop)
    shop.fail("stock-prod")
    done = shop.deploy()
    assert {one.function: one.ending for one in done.deployments} == {"pay-prod": Ending.DEPLOYED, "stock-prod": Ending.ROLLED_BACK}
    assert (shop.alias("pay-prod"), shop.alias("stock-prod"), done.exit_code) == (("2", {}), ("1", {}), 6)


def test_all_or_none_takes_back_what_went_well(shop: Scene) -> None:
    """`--atomic`: one that was not begun yet is refused, one that was done goes back."""
    functions(shop)
    shop.fail("stock-prod")
    done = shop.deploy(atomic=True)
    assert (shop.alias("pay-prod"), shop.alias("stock-prod"), done.exit_code) == (("1", {}), ("1", {}), 6)
    pay = next(one for one in done.deployments if one.function == "pay-prod")
    assert pay.ending in (Ending.ROLLED_BACK, Ending.REFUSED)
    assert "--atomic" in pay.reason
    again = shop.deploy(atomic=True)
    assert ([one.ending for one in again.deployments], again.exit_code) == ([Ending.DEPLOYED] * 2, 0), again.deployments
    assert (shop.versions("pay-prod"), shop.versions("stock-prod")) == (["1", "2"], ["1", "2"])


def test_nothing_is_changed_where_one_of_them_is_refused(shop: Scene) -> None:
    functions(shop)
    shop.lambda_.delete_function_code_signing_config(FunctionName="stock-prod")
    assert shop.plan().exit_code == 5
    assert shop.alias("pay-prod") == ("1", {})


def test_functions_that_are_one_zip_are_each_what_they_are(emptied: Endpoint, local_root: LocalRoot, tmp_path: Path) -> None:
    """Built from one folder with a handler each: what is stated of both is about one digest, and one signature."""
    shop = make_scene(make_shop(tmp_path, local_root, SAME), emptied, tmp_path)
    functions(shop)
    done = shop.deploy()
    assert done.exit_code == 0, done.deployments
    told = {name: shop.lambda_.get_function_configuration(FunctionName=name, Qualifier="live") for name in ("pay-prod", "stock-prod")}
    assert {name: one["Handler"] for name, one in told.items()} == {"pay-prod": "app.handler", "stock-prod": "app.other"}
    assert len({one["SigningJobArn"] for one in told.values()}) == 1
    with shop.case() as case:
        bundles = tuple(one.evidence for one in case.release.artifacts if one.evidence)
        alone = replace(case.verify, release=None, bundles=bundles)  # as after the next build: nobody says what is what
        found = verify_functions(["pay-prod:live", "stock-prod:live"], alone, shop.connect)
    assert (found.exit_code, found.first_broken) == (0, None)
    shop.lambda_.update_function_configuration(FunctionName="stock-prod", Handler="app.handler")
    assert [one.empty for one in shop.plan().places[0].functions] == [True, False], "Pay's handler is not Stock's"
