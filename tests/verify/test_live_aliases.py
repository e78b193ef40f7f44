"""Aliases: each version with weight is verified by itself, and an alias that leads elsewhere is broken."""

from shipsafe.model.chain import Hold
from tests.signing.zips import zip_bytes
from tests.verify.live_world import CODE, World, broken, code_of, the, told

LATER = {"app.py": CODE + b"# later\n"}


def _weigh(world: World, version: str, weight: float = 0.1) -> None:
    world.lambda_.update_alias(FunctionName="orders", Name="live", RoutingConfig={"AdditionalVersionWeights": {version: weight}})


def test_a_canary_of_two_verified_versions_holds(orders: World) -> None:
    later = orders.signed("Orders2", LATER, subject="function:Orders")
    orders.lambda_.update_function_code(FunctionName="orders", **code_of(later))
    _weigh(orders, orders.publish("orders"))
    found = orders.verify("orders:live")
    assert found.exit_code == 0, told(found)
    assert [chain.subject for chain in found.chains] == ["function:orders:live", "function:orders:2"]
    assert (
        the(found.chains[0], "alias").sentence
        == "Alias live sends 90% to version 1, 10% to version 2: published versions, each with links of its own."
    )


def test_weight_on_an_unknown_version_is_broken(orders: World) -> None:
    strange = orders.site.run(orders.site.unsigned("strange", zip_bytes(LATER))).signed[0]
    orders.lambda_.update_function_code(FunctionName="orders", **code_of(strange))
    _weigh(orders, orders.publish("orders"))
    found = orders.verify("orders:live")
    assert broken(found) == ("alias", 5)
    sentence = the(found.chains[0], "alias").sentence
    assert sentence == (
        "Alias live sends 10% of the calls to version 2, whose chain does not hold: orders:2 runs code that no signing record names."
    )
    assert the(found.chains[1], "code-sha256").hold is Hold.BROKEN


def test_weight_on_the_code_of_another_function_is_broken_though_it_is_well_signed(orders: World) -> None:
    """Also where nobody said which artifact is to run here."""
    orders.lambda_.update_function_code(FunctionName="orders", **code_of(orders.signed("Mail", LATER)))
    _weigh(orders, orders.publish("orders"), 0.01)
    found = orders.verify("orders:live")
    assert broken(found) == ("alias", 5)
    sentence = the(found.chains[0], "alias").sentence
    assert sentence.endswith("of different functions: version 1 runs function:Orders, version 2 runs function:Mail.")


def test_an_alias_that_was_pointed_at_an_unknown_version_is_broken(orders: World) -> None:
    strange = orders.site.run(orders.site.unsigned("strange", zip_bytes(LATER))).signed[0]
    orders.lambda_.update_function_code(FunctionName="orders", **code_of(strange))
    orders.lambda_.update_alias(FunctionName="orders", Name="live", FunctionVersion=orders.publish("orders"))
    assert broken(orders.verify("orders:live")) == ("code-sha256", 5)


def test_an_alias_of_latest_is_broken(orders: World) -> None:
    orders.lambda_.create_alias(FunctionName="orders", Name="next", FunctionVersion="$LATEST")
    found = orders.verify("orders:next")
    assert broken(found) == ("alias", 5)
    assert "whoever updates the code changes what it runs" in the(found.chains[0], "alias").sentence


def test_an_alias_that_is_not_there_could_not_be_looked_at(orders: World) -> None:
    assert broken(orders.verify("orders:nobody")) == ("alias", 4)


def test_a_revoked_signature_of_the_lighter_version_breaks_the_alias(orders: World) -> None:
    second = orders.signed("Orders2", LATER)
    orders.lambda_.update_function_code(FunctionName="orders", **code_of(second))
    _weigh(orders, orders.publish("orders"))
    orders.signer.revoke_signature(jobId=second.job.rpartition("/")[2], reason="leaked")
    found = orders.verify("orders:live")
    assert broken(found) == ("alias", 5)
    assert "was revoked" in the(found.chains[0], "alias").sentence
