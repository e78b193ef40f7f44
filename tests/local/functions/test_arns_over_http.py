"""Every operation over HTTP once, named by ARN where that is possible: ARNs stand in paths, with their colons and slashes."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.functions.world import zipped
from tests.local_endpoint import ACCOUNT, REGION, client

if TYPE_CHECKING:
    from shipsafe.local.endpoint import Endpoint

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:shared"
PUBLISHER = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/orders_prod/abcdefghij"


class Asking:
    """A client that remembers which operations were asked."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions
        self.asked: set[str] = set()

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.add("".join(part.capitalize() for part in operation.split("_")))
        answer: dict[str, Any] = getattr(self._functions, operation)(**parameters)
        assert 200 <= answer.pop("ResponseMetadata")["HTTPStatusCode"] < 300
        return answer


@pytest.fixture
def ask(local_aws: "Endpoint") -> Iterator[Asking]:
    local_aws.functions.configure({"creating": 0, "updating": 0})
    functions = client("lambda")
    yield Asking(functions)
    functions.close()


def test_every_operation(ask: Asking, local_aws: "Endpoint") -> None:
    _functions(ask)
    _layers(ask)
    _code_signing(ask)
    _settings(ask)
    local_aws.functions.set_answer(ACCOUNT, REGION, "orders", payload=b'{"ok": "\xc3\xa9"}')
    answer = ask("invoke", FunctionName=f"{ARN}:live", Payload=b"{}", LogType="Tail")
    assert json.loads(answer["Payload"].read()) == {"ok": "é"}
    assert ask("get_account_settings")["AccountUsage"]["FunctionCount"] == 1
    ask("delete_alias", FunctionName=ARN, Name="live")
    ask("delete_function", FunctionName=f"{ARN}:1")
    ask("delete_function", FunctionName=ARN)
    assert ask.asked == local_aws.functions.operations()


def _functions(ask: Asking) -> None:
    ask(
        "create_function",
        FunctionName=ARN,
        Role=f"arn:aws:iam::{ACCOUNT}:role/service-role/orders",
        Runtime="python3.13",
        Handler="handler.main",
        Code={"ZipFile": zipped()},
        Environment={"Variables": {"NAME": "é"}},
    )
    assert ask("get_function", FunctionName=ARN)["Configuration"]["Environment"] == {"Variables": {"NAME": "é"}}
    assert ask("get_function_configuration", FunctionName=f"{ACCOUNT}:function:orders")["FunctionArn"] == ARN
    ask("update_function_code", FunctionName=ARN, ZipFile=zipped({"handler.py": b"2"}))
    ask("update_function_configuration", FunctionName=ARN, Timeout=9)
    assert ask("publish_version", FunctionName=ARN)["FunctionArn"] == f"{ARN}:1"
    assert len(ask("list_versions_by_function", FunctionName=ARN)["Versions"]) == 2
    assert len(ask("list_functions", FunctionVersion="ALL", MaxItems=1)["Functions"]) == 1
    ask("create_alias", FunctionName=ARN, Name="live", FunctionVersion="1")
    assert ask("update_alias", FunctionName=ARN, Name="live", Description="d")["AliasArn"] == f"{ARN}:live"
    assert ask("get_alias", FunctionName=ARN, Name="live")["Description"] == "d"
    assert len(ask("list_aliases", FunctionName=ARN)["Aliases"]) == 1
    ask("tag_resource", Resource=ARN, Tags={"a": "1", "b": "2"})
    ask("untag_resource", Resource=ARN, TagKeys=["a"])
    assert ask("list_tags", Resource=ARN)["Tags"] == {"b": "2"}


def _layers(ask: Asking) -> None:
    published = ask("publish_layer_version", LayerName="shared", Content={"ZipFile": zipped()}, CompatibleRuntimes=["python3.13"])
    assert published["LayerVersionArn"] == f"{LAYER}:1"
    assert ask("get_layer_version", LayerName=LAYER, VersionNumber=1)["Version"] == 1
    assert ask("get_layer_version_by_arn", Arn=f"{LAYER}:1")["Version"] == 1
    assert ask("list_layers", CompatibleRuntime="python3.13")["Layers"][0]["LayerArn"] == LAYER
    assert len(ask("list_layer_versions", LayerName=LAYER)["LayerVersions"]) == 1
    named = {"LayerName": "shared", "VersionNumber": 1}
    ask("add_layer_version_permission", **named, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
    assert "all" in ask("get_layer_version_policy", **named)["Policy"]
    ask("remove_layer_version_permission", **named, StatementId="all")
    ask("delete_layer_version", **named)


def _code_signing(ask: Asking) -> None:
    made = ask("create_code_signing_config", AllowedPublishers={"SigningProfileVersionArns": [PUBLISHER]}, Tags={"a": "b"})
    config = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    ask("update_code_signing_config", CodeSigningConfigArn=config, Description="d")
    assert ask("get_code_signing_config", CodeSigningConfigArn=config)["CodeSigningConfig"]["Description"] == "d"
    assert len(ask("list_code_signing_configs")["CodeSigningConfigs"]) == 1
    assert ask("get_function_code_signing_config", FunctionName=ARN) == {}
    ask("put_function_code_signing_config", FunctionName=ARN, CodeSigningConfigArn=config)
    assert ask("get_function_code_signing_config", FunctionName=ARN)["CodeSigningConfigArn"] == config
    assert ask("list_functions_by_code_signing_config", CodeSigningConfigArn=config)["FunctionArns"] == [ARN]
    assert ask("list_tags", Resource=config)["Tags"] == {"a": "b"}
    ask("delete_function_code_signing_config", FunctionName=ARN)
    ask("delete_code_signing_config", CodeSigningConfigArn=config)


def _settings(ask: Asking) -> None:
    live: dict[str, Any] = {"FunctionName": ARN, "Qualifier": "live"}
    ask("add_permission", **live, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    assert "s3" in ask("get_policy", **live)["Policy"]
    ask("remove_permission", **live, StatementId="s3")
    ask("create_function_url_config", **live, AuthType="AWS_IAM", Cors={"AllowOrigins": ["*"], "MaxAge": 5})
    ask("update_function_url_config", **live, AuthType="NONE")
    assert ask("get_function_url_config", **live)["Cors"] == {"AllowOrigins": ["*"], "MaxAge": 5}
    assert len(ask("list_function_url_configs", FunctionName=ARN)["FunctionUrlConfigs"]) == 1
    ask("delete_function_url_config", **live)
    ask("put_function_concurrency", FunctionName=ARN, ReservedConcurrentExecutions=7)
    assert ask("get_function_concurrency", FunctionName=ARN)["ReservedConcurrentExecutions"] == 7
    ask("delete_function_concurrency", FunctionName=ARN)
    ask("put_provisioned_concurrency_config", **live, ProvisionedConcurrentExecutions=2)
    assert ask("get_provisioned_concurrency_config", **live)["Status"] == "READY"
    assert len(ask("list_provisioned_concurrency_configs", FunctionName=ARN)["ProvisionedConcurrencyConfigs"]) == 1
    ask("delete_provisioned_concurrency_config", **live)
    ask("put_function_event_invoke_config", **live, MaximumRetryAttempts=0)
    ask("update_function_event_invoke_config", **live, MaximumEventAgeInSeconds=60)
    told = ask("get_function_event_invoke_config", **live)
    assert (told["MaximumRetryAttempts"], told["MaximumEventAgeInSeconds"], told["LastModified"].year > 2000) == (0, 60, True)
    assert len(ask("list_function_event_invoke_configs", FunctionName=ARN)["FunctionEventInvokeConfigs"]) == 1
    ask("delete_function_event_invoke_config", **live)
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
    mapping = ask("create_event_source_mapping", FunctionName=ARN, EventSourceArn=queue)["UUID"]
    ask("update_event_source_mapping", UUID=mapping, Enabled=False)
    assert ask("get_event_source_mapping", UUID=mapping)["State"] == "Disabled"
    assert len(ask("list_event_source_mappings", EventSourceArn=queue)["EventSourceMappings"]) == 1
    ask("delete_event_source_mapping", UUID=mapping)
    ask("put_runtime_management_config", FunctionName=ARN, UpdateRuntimeOn="Auto")
    assert ask("get_runtime_management_config", FunctionName=ARN)["UpdateRuntimeOn"] == "Auto"
    ask("put_function_recursion_config", FunctionName=ARN, RecursiveLoop="Allow")
    assert ask("get_function_recursion_config", FunctionName=ARN)["RecursiveLoop"] == "Allow"
