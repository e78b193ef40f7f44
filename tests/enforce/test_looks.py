"""What is asked of AWS again, and what was told of a configuration a moment ago."""

import pytest

from shipsafe.adapters.aws.looks import Looks, open_looks
from shipsafe.errors import IncompleteError
from shipsafe.flows.targets import place_of
from shipsafe.local.faults import Fault
from tests.enforce.shop import TARGET, Shop


def test_a_configuration_that_many_share_is_asked_for_once_in_a_while_and_functions_each_time(shop: Shop) -> None:
    """Each of forty functions would list the forty that share theirs. Whoever looks again believes nothing of the first look."""
    arn = shop.configuration(shop.profile)
    shop.function(CodeSigningConfigArn=arn, Code={"ZipFile": shop.signed()})
    now = 1000.0
    looks = open_looks(shop.connect(place_of(TARGET)), lambda: now, lambda _seconds: None)

    def asked(*names: str) -> list[int]:
        return [len(shop.endpoint.trail.events(operation=name)) for name in names]

    def look(one: Looks) -> None:
        found = one.configuration(arn)
        assert found is not None
        assert len(one.sharers(arn)) == 1
        assert one.attached("orders") == arn

    shop.endpoint.trail.clear()
    words = ("GetCodeSigningConfig", "ListFunctionsByCodeSigningConfig", "GetFunctionCodeSigningConfig")
    look(looks)
    look(looks)
    assert asked(*words) == [1, 1, 1]
    look(looks.again())
    look(looks.again())
    assert asked(*words) == [2, 2, 3]
    now += 20
    look(looks.again())
    assert asked(*words) == [3, 3, 4]


def test_that_one_could_not_look_is_not_told_to_the_next(shop: Shop) -> None:
    arn = shop.configuration(shop.profile)
    looks = open_looks(shop.connect(place_of(TARGET)), lambda: 0.0, lambda _seconds: None)
    shop.endpoint.faults.add(Fault(service="lambda", operation="GetCodeSigningConfig", times=1, code="AccessDeniedException", status=403))
    one = looks.again()
    for _ in range(2):  # nor does it ask twice itself
        with pytest.raises(IncompleteError):
            one.configuration(arn)
    found = looks.again().configuration(arn)
    assert found is not None
