"""Each type of resource that is made: created, changed, replaced and deleted by its stack."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.local.stacks.shop import BUCKET, IAM, Shop, function, template, zipped
from tests.local.stacks.test_change_sets import refused
from tests.local_endpoint import ACCOUNT, REGION, client

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
SERVICE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def test_what_hangs_on_a_function_is_made_changed_and_deleted(shop: Shop) -> None:
    orders = {"Ref": "Orders"}
    body = template(
        Orders=function(shop.put(zipped("1")), ReservedConcurrentExecutions="2", RecursiveLoop="Allow", Timeout="7"),
        Allowed=resource("AWS::Lambda::Permission", Action="lambda:InvokeFunction", FunctionName=orders, Principal="s3.amazonaws.com"),
        Calls=resource("AWS::Lambda::EventInvokeConfig", FunctionName=orders, Qualifier="$LATEST", MaximumRetryAttempts=1),
        Open=resource("AWS::Lambda::Url", TargetFunctionArn={"Fn::GetAtt": ["Orders", "Arn"]}, AuthType="NONE"),
        Queue=resource("AWS::Lambda::EventSourceMapping", FunctionName=orders, EventSourceArn=QUEUE, BatchSize="5"),
    )
    body["Outputs"] = {"Url": {"Value": {"Fn::GetAtt": ["Open", "FunctionUrl"]}}}
    assert shop.change(body) == "CREATE_COMPLETE"
    name, made = shop.resources["Orders"], shop.resources
    told = shop.functions.get_function(FunctionName=name)
    assert (told["Configuration"]["Timeout"], told["Concurrency"]) == (7, {"ReservedConcurrentExecutions": 2})
    assert shop.functions.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
    assert "s3.amazonaws.com" in shop.functions.get_policy(FunctionName=name)["Policy"]
    assert shop.functions.get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")["MaximumRetryAttempts"] == 1
    assert shop.described["Outputs"][0]["OutputValue"] == shop.functions.get_function_url_config(FunctionName=name)["FunctionUrl"]
    assert shop.functions.get_event_source_mapping(UUID=made["Queue"])["BatchSize"] == 5

    changed = body["Resources"]
    changed["Orders"] = function(shop.put(zipped("1")), Tags=[{"Key": "team", "Value": "x"}])
    changed["Allowed"]["Properties"]["Principal"] = "sns.amazonaws.com"
    changed["Calls"]["Properties"]["MaximumRetryAttempts"] = 0
    changed["Open"]["Properties"]["AuthType"] = "AWS_IAM"
    changed["Queue"]["Properties"]["BatchSize"] = 6
    assert shop.change(body) == "UPDATE_COMPLETE", shop.failures()
    told = shop.functions.get_function(FunctionName=name)
    assert (told["Configuration"]["Timeout"], told.get("Concurrency"), told["Tags"]["team"]) == (3, None, "x")
    policy = shop.functions.get_policy(FunctionName=name)["Policy"]
    assert "sns.amazonaws.com" in policy
    assert "s3.amazonaws.com" not in policy  # a permission is never changed, but replaced
    assert shop.resources["Allowed"] != made["Allowed"]
    assert shop.functions.get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")["MaximumRetryAttempts"] == 0
    assert shop.functions.get_function_url_config(FunctionName=name)["AuthType"] == "AWS_IAM"
    assert shop.functions.get_event_source_mapping(UUID=made["Queue"])["BatchSize"] == 6

    shop.stacks.delete_stack(StackName="shop")
    assert shop.stacks.describe_stacks()["Stacks"] == []
    assert shop.functions.list_functions()["Functions"] == []
    assert shop.functions.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_function_with_another_name_is_another_function(shop: Shop) -> None:
    version = shop.put(zipped("1"))
    shop.change(template(Orders=function(version, FunctionName="one")))
    made = shop.make(template(Orders=function(version, FunctionName="two")))
    assert made["Changes"][0]["ResourceChange"]["Replacement"] == "True"
    shop.stacks.execute_change_set(ChangeSetName=made["ChangeSetId"])
    assert [one["FunctionName"] for one in shop.functions.list_functions()["Functions"]] == ["two"]


def test_a_resource_that_is_retained_outlives_its_stack(shop: Shop) -> None:
    kept = {**function(shop.put(zipped("1"))), "DeletionPolicy": "Retain"}
    shop.change(template(Orders=kept))
    name, stack = shop.resources["Orders"], shop.described["StackId"]
    shop.stacks.delete_stack(StackName="shop")
    assert shop.functions.get_function(FunctionName=name)["Configuration"]["FunctionName"] == name
    told = shop.stacks.describe_stacks(StackName=stack)["Stacks"][0]
    assert told["StackStatus"] == "DELETE_COMPLETE"
    skipped = [
        one["LogicalResourceId"]
        for one in shop.stacks.describe_stack_events(StackName=stack)["StackEvents"]
        if one["ResourceStatus"] == "DELETE_SKIPPED"
    ]
    assert skipped == ["Orders"]


def test_layers_are_published_anew_and_their_users_follow(shop: Shop) -> None:
    def body(version: str) -> dict[str, Any]:
        content = {"S3Bucket": BUCKET, "S3Key": "app.zip", "S3ObjectVersion": version}
        return template(
            Shared=resource("AWS::Lambda::LayerVersion", LayerName="shared", Content=content, CompatibleRuntimes=["python3.13"]),
            Used=resource(
                "AWS::Lambda::LayerVersionPermission", LayerVersionArn={"Ref": "Shared"}, Action="lambda:GetLayerVersion", Principal="*"
            ),
            Orders=function(code, Layers=[{"Ref": "Shared"}]),
        )

    code = shop.put(zipped("1"))
    shop.change(body(shop.put(zipped("layer"))))
    assert shop.change(body(shop.put(zipped("newer")))) == "UPDATE_COMPLETE", shop.failures()
    layer = shop.resources["Shared"]
    assert layer.endswith(":layer:shared:2")
    told = shop.functions.get_function_configuration(FunctionName=shop.resources["Orders"])
    assert [one["Arn"] for one in told["Layers"]] == [layer]
    assert "GetLayerVersion" in shop.functions.get_layer_version_policy(LayerName="shared", VersionNumber=2)["Policy"]
    assert [one["Version"] for one in shop.functions.list_layer_versions(LayerName="shared")["LayerVersions"]] == [2]


def test_a_stack_may_make_what_its_code_is_held_against(shop: Shop) -> None:
    body = template(
        Profile=resource("AWS::Signer::SigningProfile", PlatformId="AWSLambda-SHA384-ECDSA", ProfileName="prod"),
        Theirs=resource("AWS::Signer::ProfilePermission", ProfileName={"Fn::GetAtt": ["Profile", "ProfileName"]},
                        Action="signer:StartSigningJob", Principal="111122223333"),
        Trusted=resource("AWS::Lambda::CodeSigningConfig",
                         AllowedPublishers={"SigningProfileVersionArns": [{"Fn::GetAtt": ["Profile", "ProfileVersionArn"]}]},
                         CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}),
    )  # fmt: skip
    assert shop.change(body) == "CREATE_COMPLETE", shop.failures()
    signed = shop.signed(zipped("1"))
    body["Resources"]["Orders"] = function(signed, CodeSigningConfigArn={"Ref": "Trusted"})
    assert shop.change(body) == "UPDATE_COMPLETE", shop.failures()
    config = shop.functions.get_function_code_signing_config(FunctionName=shop.resources["Orders"])
    assert config["CodeSigningConfigArn"] == shop.resources["Trusted"]
    body["Resources"]["Orders"] = function(signed)
    body["Resources"]["Trusted"]["Properties"]["Description"] = "of the shop"
    assert shop.change(body) == "UPDATE_COMPLETE", shop.failures()
    assert "CodeSigningConfigArn" not in shop.functions.get_function_code_signing_config(FunctionName=shop.resources["Orders"])
    shop.stacks.delete_stack(StackName="shop")
    assert shop.functions.list_code_signing_configs()["CodeSigningConfigs"] == []
    assert client("signer").get_signing_profile(profileName="prod")["status"] == "Canceled"


def test_roles_are_made_in_iam_with_their_policies(shop: Shop) -> None:
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    inline = {"PolicyName": "read", "PolicyDocument": allowed}
    mine = shop.iam.create_policy(PolicyName="mine", PolicyDocument=json.dumps(allowed))["Policy"]["Arn"]
    own = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    role = resource("AWS::IAM::Role", AssumeRolePolicyDocument=SERVICE, Policies=[inline], ManagedPolicyArns=[mine, own], Path="/app/")
    body = template(Role=role, Orders=function(shop.put(zipped("1")), Role={"Fn::GetAtt": ["Role", "Arn"]}))
    assert shop.change(body, Capabilities=IAM) == "CREATE_COMPLETE", shop.failures()
    name = shop.resources["Role"]
    assert (
        shop.functions.get_function_configuration(FunctionName=shop.resources["Orders"])["Role"]
        == shop.iam.get_role(RoleName=name)["Role"]["Arn"]
    )
    assert shop.iam.list_role_policies(RoleName=name)["PolicyNames"] == ["read"]
    assert [one["PolicyArn"] for one in shop.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]] == [mine]
    role["Properties"] |= {"Policies": [{**inline, "PolicyName": "write"}], "ManagedPolicyArns": [], "Description": "of orders"}
    assert shop.change(body, Capabilities=IAM) == "UPDATE_COMPLETE", shop.failures()
    assert shop.iam.list_role_policies(RoleName=name)["PolicyNames"] == ["write"]
    assert shop.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    assert shop.iam.get_role(RoleName=name)["Role"]["Description"] == "of orders"
    shop.stacks.delete_stack(StackName="shop")
    assert shop.iam.list_roles()["Roles"] == []


def shifting(version: str, shop: Shop) -> dict[str, Any]:
    """A function whose alias CodeDeploy leads to each new version, which is called after the code's."""
    policy = {"CodeDeployLambdaAliasUpdate": {"ApplicationName": {"Ref": "App"}, "DeploymentGroupName": {"Ref": "Group"}}}
    published = f"Version{version}"
    return template(
        Orders=function(shop.put(zipped(version))),
        App=resource("AWS::CodeDeploy::Application", ComputePlatform="Lambda"),
        Group=resource(
            "AWS::CodeDeploy::DeploymentGroup",
            ApplicationName={"Ref": "App"},
            ServiceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploys",
            DeploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes",
            AutoRollbackConfiguration={"Enabled": True, "Events": ["DEPLOYMENT_STOP_ON_REQUEST"]},
        ),
        Live={
            **resource(
                "AWS::Lambda::Alias", FunctionName={"Ref": "Orders"}, Name="live", FunctionVersion={"Fn::GetAtt": [published, "Version"]}
            ),
            "UpdatePolicy": policy,
        },
        **{published: {**resource("AWS::Lambda::Version", FunctionName={"Ref": "Orders"}), "DeletionPolicy": "Retain"}},
    )


def leads_to(shop: Shop) -> tuple[str, dict[str, float]]:
    told = shop.functions.get_alias(FunctionName=shop.resources["Orders"], Name="live")
    return told["FunctionVersion"], told.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def test_codedeploy_leads_an_alias_to_its_new_version(shop: Shop) -> None:
    assert shop.change(shifting("1", shop)) == "CREATE_COMPLETE", shop.failures()
    assert shop.change(shifting("2", shop)) == "UPDATE_IN_PROGRESS"
    assert leads_to(shop) == ("1", {"2": 0.1})
    shop.endpoint.advance(timedelta(minutes=5))
    assert leads_to(shop) == ("2", {})
    assert shop.status == "UPDATE_COMPLETE"


def test_a_deployment_that_is_stopped_rolls_the_stack_back(shop: Shop) -> None:
    shop.change(shifting("1", shop))
    before = shop.code(shop.resources["Orders"])
    shop.change(shifting("2", shop))
    codedeploy = client("codedeploy")
    [begun] = codedeploy.list_deployments(includeOnlyStatuses=["InProgress"])["deployments"]
    codedeploy.stop_deployment(deploymentId=begun)
    assert shop.status == "UPDATE_ROLLBACK_COMPLETE"
    assert shop.failures() == [("Live", shop.failures()[0][1])]
    assert begun in shop.failures()[0][1]
    assert leads_to(shop) == ("1", {})
    assert shop.code(shop.resources["Orders"]) == before


def test_other_types_are_written_down_and_have_attributes_that_are_made_up(shop: Shop) -> None:
    body = template(Table=resource("AWS::DynamoDB::Table", TableName="orders"), Topic=resource("AWS::SNS::Topic"))
    body["Outputs"] = {"Arn": {"Value": {"Fn::GetAtt": ["Table", "StreamArn"]}}}
    assert shop.change(body) == "CREATE_COMPLETE"
    assert shop.resources["Table"] == "orders"
    assert shop.resources["Topic"].startswith("shop-Topic-")
    assert shop.described["Outputs"][0]["OutputValue"] == "orders-StreamArn"


@pytest.mark.parametrize("kind", ["AWS::CloudFormation::Stack", "AWS::Lambda::CapacityProvider"])
def test_a_type_that_somebody_would_look_for_is_refused(shop: Shop, kind: str) -> None:
    code, words = refused(shop.make, body=template(One=resource(kind)))
    assert (code, words) == ("NotImplemented", f"The local endpoint does not reproduce resources of the type {kind}.")


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Memory": 128}, "#: extraneous key [Memory] is not permitted"),
        ({"Timeout": "soon"}, "#/Timeout: expected type: Integer, found: str"),
        ({"Environment": {"Variables": ["a"]}}, "#/Environment/Variables: expected type: Map, found: list"),
        ({"Tags": {"a": {}}}, "#/Tags: expected a list of Key and Value"),
        ({"Code": "app.zip"}, "#: required key [Code] not found"),
        ({"Code": {"ZipFile": "x"}, "Runtime": "java21"}, "#/Code/ZipFile: is not for the runtime java21"),
    ],
)
def test_properties_that_a_function_does_not_have_fail_its_creation(shop: Shop, properties: dict[str, Any], words: str) -> None:
    shop.change(template(Orders=function(shop.put(zipped("1")), **properties)))
    assert shop.failures()[0] == ("Orders", f"Properties validation failed for resource Orders with message:\n[{words}]")


def test_code_may_stand_in_the_template(shop: Shop) -> None:
    body = template(Orders=function("", Code={"ZipFile": "def main(*_): ..."}))
    assert shop.change(body) == "CREATE_COMPLETE"
    body["Resources"]["Orders"]["Properties"]["Code"]["ZipFile"] = "def main(*_): return 1"
    before = shop.code(shop.resources["Orders"])
    assert shop.change(body) == "UPDATE_COMPLETE"
    assert shop.code(shop.resources["Orders"]) != before
