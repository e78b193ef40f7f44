"""Change sets over HTTP: what they say is what is done, once, and to nothing else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shipsafe.local.faults import Fault
from tests.local.stacks.shop import IAM, ROLE, Shop, function, template, zipped
from tests.local_endpoint import ACCOUNT, REGION

SAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: {Bucket: releases, Key: app.zip, Version: "VERSION"}
      Runtime: python3.13
      Handler: app.main
      AutoPublishAlias: live
      Environment: {Variables: {STAGE: !Ref Stage}}
Outputs:
  Arn: {Value: !GetAtt Orders.Arn, Description: of the function}
"""


def refused(call: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**given)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_new_stack_waits_for_its_change_set_and_has_then_what_it_says(shop: Shop) -> None:
    made = shop.make(template(Orders=function(shop.put(zipped("1")))), Tags=[{"Key": "team", "Value": "orders"}])
    assert made["StackId"].startswith(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/shop/")
    assert made["ChangeSetId"].startswith(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/change-1/")
    assert [(one["ResourceChange"]["Action"], one["ResourceChange"]["LogicalResourceId"]) for one in made["Changes"]] == [("Add", "Orders")]
    assert (shop.status, shop.resources) == ("REVIEW_IN_PROGRESS", {})
    shop.stacks.execute_change_set(ChangeSetName="change-1", StackName="shop")
    assert shop.status == "CREATE_COMPLETE"
    assert shop.events() == ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert shop.events("Orders") == ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    name = shop.resources["Orders"]
    assert name.startswith("shop-Orders-")
    assert shop.functions.get_function(FunctionName=name)["Tags"] == {
        "team": "orders",
        "aws:cloudformation:stack-name": "shop",
        "aws:cloudformation:stack-id": made["StackId"],
        "aws:cloudformation:logical-id": "Orders",
    }
    assert shop.described["ChangeSetId"] == made["ChangeSetId"]


def test_a_sam_function_gets_a_version_and_its_alias_leads_there(shop: Shop) -> None:
    first, second = shop.put(zipped("1")), shop.put(zipped("2"))
    assert shop.change(SAM.replace("VERSION", first), Capabilities=IAM) == "CREATE_COMPLETE"
    name = shop.resources["Orders"]
    assert shop.functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    assert shop.described["Outputs"] == [
        {"OutputKey": "Arn", "OutputValue": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}", "Description": "of the function"}
    ]
    made = shop.make(SAM.replace("VERSION", second), Capabilities=IAM)
    told = {
        one["ResourceChange"]["ResourceType"]: one["ResourceChange"]
        for one in made["Changes"]
        if one["ResourceChange"]["Action"] == "Modify"
    }
    assert told["AWS::Lambda::Function"]["Details"][0]["Target"] == {
        "Attribute": "Properties",
        "Name": "Code",
        "RequiresRecreation": "Never",
    }
    assert told["AWS::Lambda::Alias"]["Details"][0]["Evaluation"] == "Dynamic"
    assert {
        one["ResourceChange"]["Action"] for one in made["Changes"] if one["ResourceChange"]["ResourceType"] == "AWS::Lambda::Version"
    } == {"Add", "Remove"}
    shop.stacks.execute_change_set(ChangeSetName=made["ChangeSetId"])
    assert shop.events()[-3:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert shop.functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"
    versions = shop.functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [one["Version"] for one in versions] == ["$LATEST", "1", "2"]  # the first is retained
    assert shop.resources["OrdersRole"] in [role["RoleName"] for role in shop.iam.list_roles()["Roles"]]


@pytest.mark.parametrize(
    "text",
    [
        SAM.replace("VERSION", "1").replace("\n", "\r\n"),
        "# ünïcode & <tags> \n" + SAM.replace("VERSION", "1") + "\n\n  \n",
        json.dumps(template(Orders=function("1")), indent=3) + "\n",
    ],
    ids=["line ends", "markup", "json"],
)
def test_the_template_is_given_back_as_it_was_sent(shop: Shop, text: str) -> None:
    made = shop.make(text, Capabilities=IAM)
    told = shop.stacks.get_template(ChangeSetName=made["ChangeSetId"])
    assert told["StagesAvailable"] == ["Original", "Processed"]
    body = told["TemplateBody"]
    assert body == text if isinstance(body, str) else body == json.loads(text)  # botocore parses JSON
    processed = shop.stacks.get_template(ChangeSetName=made["ChangeSetId"], TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Orders"]["Type"] == "AWS::Lambda::Function"


def test_without_changes_a_change_set_fails_and_says_so(shop: Shop) -> None:
    body = template(Orders=function(shop.put(zipped("1"))))
    shop.change(body)
    made = shop.make(body)
    assert (made["Status"], made["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert made["StatusReason"] == "The submitted information didn't contain changes. Submit different information to create a change set."
    code, words = refused(shop.stacks.execute_change_set, ChangeSetName=made["ChangeSetId"])
    assert (code, words) == (
        "InvalidChangeSetStatus",
        f"ChangeSet [{made['ChangeSetId']}] cannot be executed in its current status of [FAILED]",
    )


def test_without_changes_a_sam_template_has_words_of_its_own(shop: Shop) -> None:
    text = SAM.replace("VERSION", shop.put(zipped("1")))
    shop.change(text, Capabilities=IAM)
    assert shop.make(text, Capabilities=IAM)["StatusReason"] == "No updates are to be performed."


def test_the_same_request_makes_one_change_set_and_another_of_its_name_is_refused(shop: Shop) -> None:
    given = {
        "StackName": "shop",
        "ChangeSetName": "one",
        "ChangeSetType": "CREATE",
        "TemplateBody": json.dumps(template(Orders=function("1"))),
    }
    first = shop.stacks.create_change_set(**given, ClientToken="release-1")
    again = shop.stacks.create_change_set(**given, ClientToken="release-1")
    assert (first["Id"], first["StackId"]) == (again["Id"], again["StackId"])
    assert refused(shop.stacks.create_change_set, **given, ClientToken="release-2") == (
        "AlreadyExistsException",
        "ChangeSet one already exists",
    )
    assert len(shop.stacks.list_change_sets(StackName="shop")["Summaries"]) == 1


def test_an_update_needs_a_stack_and_a_creation_none(shop: Shop) -> None:
    body = json.dumps(template(Orders=function(shop.put(zipped("1")))))
    given = {"StackName": "shop", "ChangeSetName": "one", "TemplateBody": body}
    assert refused(shop.stacks.create_change_set, **given) == ("ValidationError", "Stack [shop] does not exist")
    shop.change(body)
    code, words = refused(shop.stacks.create_change_set, **given, ChangeSetType="CREATE")
    assert (code, words) == ("ValidationError", "Stack [shop] already exists and cannot be created again with the changeSet [one].")


def test_while_a_stack_is_changed_nothing_else_can_change_it(shop: Shop) -> None:
    shop.functions_take(3600)
    first = shop.put(zipped("1"))
    made = shop.make(template(Orders=function(first)))
    shop.make(template(Orders=function(first, Timeout=9)), name="other")
    shop.stacks.execute_change_set(ChangeSetName=made["ChangeSetId"])
    assert shop.status == "CREATE_IN_PROGRESS"
    code, words = refused(shop.make, body=template(Orders=function(first, Timeout=8)), kind="UPDATE")
    assert (code, words) == ("ValidationError", f"Stack:{made['StackId']} is in CREATE_IN_PROGRESS state and can not be updated.")
    assert refused(shop.stacks.describe_change_set, StackName="shop", ChangeSetName="other")[0] == "ChangeSetNotFound"
    assert refused(shop.stacks.execute_change_set, ChangeSetName=made["ChangeSetId"])[1].endswith("status of [EXECUTE_IN_PROGRESS]")
    assert refused(shop.stacks.delete_change_set, ChangeSetName=made["ChangeSetId"])[0] == "InvalidChangeSetStatus"
    shop.endpoint.advance(timedelta(hours=1))
    assert shop.status == "CREATE_COMPLETE"
    told = shop.stacks.describe_change_set(ChangeSetName=made["ChangeSetId"])
    assert told["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_an_execution_whose_answer_was_lost_goes_on_and_a_second_one_is_refused(shop: Shop) -> None:
    made = shop.make(template(Orders=function(shop.put(zipped("1")))))["ChangeSetId"]
    shop.endpoint.faults.add(Fault(service="cloudformation", operation="ExecuteChangeSet", kind="reset", when="after"))
    given = {"ChangeSetName": made, "ClientRequestToken": "release-1"}
    assert refused(shop.stacks.execute_change_set, **given)[0] == "InvalidChangeSetStatus"  # boto3 asks twice
    told = shop.stacks.describe_stack_events(StackName="shop")["StackEvents"]
    assert [one["ResourceStatus"] for one in told if one.get("ClientRequestToken") == "release-1"][::-1] == [
        *("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_COMPLETE"),
    ]


def test_a_change_set_takes_its_time(shop: Shop) -> None:
    shop.endpoint.stacks.configure({"making": 3600})
    made = shop.make(template(Orders=function(shop.put(zipped("1")))))
    assert (made["Status"], made["ExecutionStatus"], made["Changes"]) == ("CREATE_IN_PROGRESS", "UNAVAILABLE", [])
    assert refused(shop.stacks.execute_change_set, ChangeSetName=made["ChangeSetId"])[1].endswith("status of [CREATE_IN_PROGRESS]")
    shop.endpoint.advance(timedelta(hours=1))
    assert len(shop.stacks.describe_change_set(ChangeSetName=made["ChangeSetId"])["Changes"]) == 1


def test_a_stack_outlives_the_change_set_that_it_waited_for(shop: Shop) -> None:
    made = shop.make(template(Orders=function("1")))
    shop.stacks.delete_change_set(ChangeSetName=made["ChangeSetId"])
    assert shop.status == "REVIEW_IN_PROGRESS"
    assert shop.stacks.list_change_sets(StackName="shop")["Summaries"] == []
    shop.stacks.delete_change_set(StackName="shop", ChangeSetName="never-was")
    shop.stacks.delete_stack(StackName="shop")
    assert refused(shop.stacks.describe_stacks, StackName="shop") == ("ValidationError", "Stack with id shop does not exist")


def test_parameters_are_given_or_kept_or_the_defaults(shop: Shop) -> None:
    first = shop.put(zipped("1"))
    body = template(Orders=function(first, Environment={"Variables": {"STAGE": {"Ref": "Stage"}, "KEY": {"Ref": "Key"}}}))
    body["Parameters"] = {"Stage": {"Type": "String", "Default": "dev"}, "Key": {"Type": "String", "NoEcho": True, "MinLength": 3}}
    given = {"StackName": "shop", "ChangeSetName": "one", "ChangeSetType": "CREATE", "TemplateBody": json.dumps(body)}
    assert refused(shop.stacks.create_change_set, **given)[1] == "Parameters: [Key] must have values"
    wrong = [{"ParameterKey": "Key", "ParameterValue": "x"}]
    assert "not less than 3" in refused(shop.stacks.create_change_set, **given, Parameters=wrong)[1]
    shop.change(body, Parameters=[{"ParameterKey": "Key", "ParameterValue": "secret"}])
    assert {one["ParameterKey"]: one["ParameterValue"] for one in shop.described["Parameters"]} == {"Stage": "dev", "Key": "****"}
    name = shop.resources["Orders"]
    kept = [{"ParameterKey": "Key", "UsePreviousValue": True}, {"ParameterKey": "Stage", "ParameterValue": "prod"}]
    shop.change(body, Parameters=kept)
    told = shop.functions.get_function_configuration(FunctionName=name)
    assert told["Environment"]["Variables"] == {"STAGE": "prod", "KEY": "secret"}
    foreign = [*kept, {"ParameterKey": "Other", "ParameterValue": "1"}]
    assert refused(shop.make, body=body, Parameters=foreign)[1] == "Parameters: [Other] do not exist in the template"


def test_rights_are_made_only_where_the_caller_says_so(shop: Shop) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}
    assert refused(shop.make, body=template(Role=role)) == ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
    role["Properties"]["RoleName"] = "mine"  # type: ignore[index]
    named = refused(shop.make, body=template(Role=role), Capabilities=IAM)
    assert named == ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
    assert shop.stacks.describe_stacks()["Stacks"] == []  # nothing was begun
    assert shop.change(template(Role=role), Capabilities=["CAPABILITY_NAMED_IAM"]) == "CREATE_COMPLETE"


def test_what_sam_makes_needs_capabilities_too_and_tells_it_later(shop: Shop) -> None:
    made = shop.make(SAM.replace("VERSION", "1"))
    assert (made["Status"], made["StatusReason"]) == ("FAILED", "Requires capabilities : [CAPABILITY_IAM]")


def test_a_role_must_let_cloudformation_in(shop: Shop) -> None:
    body, trust = template(Orders=function(shop.put(zipped("1")))), {"Effect": "Allow", "Action": "sts:AssumeRole"}
    for name, service in (("lambda", "lambda.amazonaws.com"), ("stacks", "cloudformation.amazonaws.com")):
        document = {"Version": "2012-10-17", "Statement": [{**trust, "Principal": {"Service": service}}]}
        shop.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    role = f"arn:aws:iam::{ACCOUNT}:role/"
    assert refused(shop.make, body=body, RoleARN=f"{role}lambda")[1] == f"Role {role}lambda is invalid or cannot be assumed"
    assert refused(shop.make, body=body, RoleARN=ROLE.replace(ACCOUNT, "111122223333"))[0] == "ValidationError"
    shop.change(body, RoleARN=f"{role}stacks")
    shop.change(template(Orders=function(shop.put(zipped("2")))))
    assert shop.described["RoleARN"] == f"{role}stacks"  # the next change set has it, too


def test_a_template_may_lie_in_s3(shop: Shop) -> None:
    body = json.dumps(template(Orders=function(shop.put(zipped("1"))))).encode()
    version = shop.put(body)
    url = f"https://releases.s3.{REGION}.amazonaws.com/app.zip?versionId={version}"
    made = shop.stacks.create_change_set(StackName="shop", ChangeSetName="one", ChangeSetType="CREATE", TemplateURL=url)
    assert shop.stacks.get_template(ChangeSetName=made["Id"])["TemplateBody"] == json.loads(body)
    away = url.replace("app.zip", "none.yaml").partition("?")[0]
    assert (
        "S3 error"
        in refused(shop.stacks.create_change_set, StackName="x", ChangeSetName="one", ChangeSetType="CREATE", TemplateURL=away)[1]
    )


@pytest.mark.parametrize(
    "more",
    [{"IncludeNestedStacks": True}, {"ImportExistingResources": True}, {"OnStackFailure": "DELETE"}, {"ResourceTypes": ["AWS::*"]}],
    ids=lambda more: next(iter(more)),
)
def test_what_is_not_reproduced_is_501(shop: Shop, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        shop.make(template(Orders=function("1")), **more)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
