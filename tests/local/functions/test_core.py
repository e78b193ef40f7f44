"""The core as a whole: its tables, its snapshot, its settings."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.local.call import ApiError
from shipsafe.local.functions import refusals
from shipsafe.local.validation import service_model
from tests.local.functions.world import ACCOUNT, REGION, Local, zipped


def test_every_operation_is_one_of_lambda_and_says_how_near_it_is(local: Local) -> None:
    assert local.core.operations() <= set(service_model("lambda").operation_names)
    assert set(local.core.reproduced()) == local.core.operations()
    assert all(note.strip() for note in local.core.reproduced().values())
    assert len(local.core.operations()) == 66


def test_statuses_are_those_of_the_service_model() -> None:
    shapes = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in service_model("lambda").error_shapes}
    raised = {"InvalidParameterValueException", "CodeVerificationFailedException", "InvalidCodeSignatureException"}
    for source in Path(refusals.__file__).parent.glob("*.py"):
        raised |= set(re.findall(r'"([A-Z][A-Za-z]+Exception)"', source.read_text()))
    assert len(raised) > 10
    unmodelled = {"AccessDeniedException": 403, "ValidationException": 400}  # "Common errors" of the API reference
    for name in raised:
        assert refusals.refusal(name, "").status == (shapes | unmodelled)[name], name


def test_a_snapshot_is_json_and_gives_everything_back(local: Local) -> None:
    layer = local("PublishLayerVersion", LayerName="l", Content={"ZipFile": local.sign(zipped())})["LayerVersionArn"]
    local.create(code=local.sign(zipped()), CodeSigningConfigArn=local.config(), Layers=[layer], Publish=True)
    local("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    local("PutFunctionEventInvokeConfig", FunctionName="orders", MaximumRetryAttempts=1)
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("GetFunction", {"FunctionName": "orders:live"}),
        ("ListCodeSigningConfigs", {}),
        ("ListLayers", {}),
        ("GetFunctionEventInvokeConfig", {"FunctionName": "orders"}),
    )
    before = [local(operation, **parameters) for operation, parameters in asked]
    text = json.dumps(local.core.snapshot())
    local.core = local.new()
    assert local("ListFunctions")["Functions"] == []
    local.core.restore(json.loads(text))
    assert [local(operation, **parameters) for operation, parameters in asked] == before
    assert len(local.core.events()) == 1
    local("UpdateFunctionConfiguration", FunctionName="orders", Timeout=4)


def test_a_snapshot_is_a_copy(local: Local) -> None:
    local.create()
    taken = local.core.snapshot()
    local("DeleteFunction", FunctionName="orders")
    assert taken["places"][f"{ACCOUNT}/{REGION}"]["functions"]
    local.core.restore(taken)
    taken["places"].clear()
    assert local("ListFunctions")["Functions"]


@pytest.mark.parametrize("value", [None, [], {}, {"format": 99, "places": {}, "events": [], "invocations": []}, {"format": 1}])
def test_what_is_no_snapshot_is_refused(local: Local, value: object) -> None:
    with pytest.raises(IncompleteError, match="another version of shipsafe"):
        local.core.restore(value)


def test_a_snapshot_that_is_damaged_anywhere_is_refused_whole(local: Local) -> None:
    local.create(Publish=True, code=local.sign(zipped()))
    local("CreateAlias", FunctionName="orders", Name="live", FunctionVersion="1")
    local("PublishLayerVersion", LayerName="l", Content={"ZipFile": zipped()})
    local.config()
    good = local.core.snapshot()
    paths = list(_paths(good))
    assert len(paths) > 50
    for *way, last in paths:
        damaged = json.loads(json.dumps(good))
        inner = damaged
        for step in way:
            inner = inner[step]
        inner[last] = object()
        with pytest.raises(IncompleteError):
            local.core.restore(damaged)
    assert local("ListFunctions")["Functions"]


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where values are whose shape is ours, and not that of what a client has set."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if key not in ("members", "events", "invocations", "urls", "provisioned", "retries", "runtimes", "answers", "statements"):
            yield (*before, key)
            if isinstance(item, dict | list):
                yield from _paths(item, (*before, key))


@pytest.mark.parametrize(
    "values", [{"nonsense": 1}, {"creating": -1}, {"creating": "1"}, {"integrity_code": "Other"}, {"updating": float("nan")}]
)
def test_settings_that_cannot_be(local: Local, values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        local.core.configure({"concurrency": 500, **values})
    assert local("GetAccountSettings")["AccountLimit"]["ConcurrentExecutions"] == 1000


def test_answers_are_copies(local: Local) -> None:
    local.create(Environment={"Variables": {"STAGE": "1"}})
    local.configured()["Environment"]["Variables"]["STAGE"] = "2"
    assert local.configured()["Environment"]["Variables"] == {"STAGE": "1"}


def test_of_many_updates_at_once_one_wins(local: Local) -> None:
    local.create()

    def update(number: int) -> str:
        try:
            local("UpdateFunctionCode", FunctionName="orders", ZipFile=zipped({"handler.py": str(number).encode()}))
        except ApiError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(update, range(8)))
    assert sorted(results) == ["ResourceConflictException"] * 7 + ["done"]


def test_a_control_call_for_a_function_that_is_not_there(local: Local) -> None:
    with pytest.raises(ConfigError, match="There is no function nobody"):
        local.core.set_answer(ACCOUNT, REGION, "nobody")
    with pytest.raises(ConfigError, match="There is no function nobody"):
        local.core.fail_next(ACCOUNT, REGION, "nobody")
