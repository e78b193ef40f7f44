"""What fails leads the stack back to what it was, and says why."""

from datetime import timedelta

from tests.local.stacks.shop import IAM, Shop, function, template, zipped
from tests.local.stacks.test_change_sets import SAM, refused


def test_unsigned_code_fails_the_update_and_the_function_has_its_old_code_again(shop: Shop) -> None:
    config = shop.code_signing()
    good = shop.signed(zipped("1"))
    shop.change(template(Orders=function(good, CodeSigningConfigArn=config)))
    name = shop.resources["Orders"]
    before = shop.code(name)
    bad = template(Orders=function(shop.put(zipped("2")), CodeSigningConfigArn=config, Timeout=9))
    assert shop.change(bad) == "UPDATE_ROLLBACK_COMPLETE"
    assert shop.events()[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    [(logical, reason)] = shop.failures()
    assert logical == "Orders"
    assert "CodeVerificationFailedException" not in reason  # the words, not the name
    assert "not signed" in reason or "signature" in reason.lower()
    assert "HandlerErrorCode: InvalidRequest" in reason
    assert shop.code(name) == before
    assert shop.functions.get_function_configuration(FunctionName=name)["Timeout"] == 3
    told = shop.stacks.describe_change_set(ChangeSetName=shop.described["ChangeSetId"])
    assert told["ExecutionStatus"] == "EXECUTE_FAILED"
    assert shop.change(template(Orders=function(shop.signed(zipped("3")), CodeSigningConfigArn=config))) == "UPDATE_COMPLETE"


def test_a_version_that_was_published_before_the_failure_is_retained_and_the_alias_stays(shop: Shop) -> None:
    text = SAM.replace("VERSION", shop.put(zipped("1")))
    shop.change(text, Capabilities=IAM)
    name = shop.resources["Orders"]
    shop.functions.create_function_url_config(FunctionName=name, AuthType="NONE")
    more = """\
  Open:
    Type: AWS::Lambda::Url
    DependsOn: OrdersAliaslive
    Properties: {TargetFunctionArn: !Ref Orders, AuthType: NONE}
Outputs:"""
    changed = SAM.replace("VERSION", shop.put(zipped("2"))).replace("Outputs:", more)
    assert shop.change(changed, Capabilities=IAM) == "UPDATE_ROLLBACK_COMPLETE"
    assert [logical for logical, _ in shop.failures()] == ["Open"]
    assert shop.functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    assert [one["Version"] for one in shop.functions.list_versions_by_function(FunctionName=name)["Versions"]] == ["$LATEST", "1", "2"]
    assert not [logical for logical in shop.resources if logical.startswith("Open")]
    kept = [logical for logical in shop.resources if logical.startswith("OrdersVersion")]
    assert len(kept) == 1
    assert shop.events(kept[0])[-1] == "CREATE_COMPLETE"


def test_a_creation_that_fails_leaves_nothing(shop: Shop) -> None:
    body = template(Good=function(shop.put(zipped("1"))), Bad=function("never-was", FunctionName="bad"))
    body["Resources"]["Bad"]["DependsOn"] = "Good"
    assert shop.change(body) == "ROLLBACK_COMPLETE"
    assert shop.functions.list_functions()["Functions"] == []
    assert shop.resources == {}
    assert shop.events("Good")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    told = shop.stacks.describe_stack_events(StackName="shop")["StackEvents"]
    [why] = [one["ResourceStatusReason"] for one in told if one["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"]
    assert why == "The following resource(s) failed to create: [Bad]. Rollback requested by user."
    words = refused(shop.make, body=body, kind="UPDATE")[1]
    assert words.endswith("is in ROLLBACK_COMPLETE state and can not be updated.")
    assert "already exists" in refused(shop.make, body=body, kind="CREATE")[1]


def test_what_fails_stays_where_that_was_asked_for(shop: Shop) -> None:
    body = template(Good=function(shop.put(zipped("1"))), Bad=function("never-was"))
    body["Resources"]["Bad"]["DependsOn"] = "Good"
    made = shop.make(body)
    shop.stacks.execute_change_set(ChangeSetName=made["ChangeSetId"], DisableRollback=True)
    assert shop.status == "CREATE_FAILED"
    assert len(shop.functions.list_functions()["Functions"]) == 1
    body["Resources"]["Bad"] = function(shop.put(zipped("2")))
    assert shop.change(body, kind="UPDATE") == "UPDATE_COMPLETE"
    assert len(shop.functions.list_functions()["Functions"]) == 2


def test_an_update_of_a_function_that_does_not_settle_leads_back(shop: Shop) -> None:
    shop.change(template(Orders=function(shop.put(zipped("1")))))
    name = shop.resources["Orders"]
    before = shop.code(name)
    shop.endpoint.functions.fail_next("123456789012", "eu-west-1", name, reason="Out of luck.")
    assert shop.change(template(Orders=function(shop.put(zipped("2"))))) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Out of luck." in shop.failures()[0][1]
    assert shop.code(name) == before


def test_a_way_back_that_is_barred_is_said_to_be(shop: Shop) -> None:
    """The old code was never signed, and meanwhile its function may have none such."""
    unsigned = template(Orders=function(shop.put(zipped("1"))))
    shop.change(unsigned)
    config = shop.code_signing()
    shop.functions.put_function_code_signing_config(FunctionName=shop.resources["Orders"], CodeSigningConfigArn=config)
    assert shop.change(template(Orders=function(shop.put(zipped("2"))))) == "UPDATE_ROLLBACK_FAILED"
    assert [logical for logical, _ in shop.failures()] == ["Orders", "Orders", "shop"]


def test_a_roll_back_takes_its_time_too(shop: Shop) -> None:
    first = shop.put(zipped("1"))
    shop.change(template(Orders=function(first)))
    shop.functions_take(3600)
    body = template(Orders=function(shop.put(zipped("2"))), Other=function("never-was"))
    body["Resources"]["Other"]["DependsOn"] = "Orders"
    assert shop.change(body) == "UPDATE_IN_PROGRESS"
    shop.endpoint.advance(timedelta(hours=1))
    assert shop.status == "UPDATE_ROLLBACK_IN_PROGRESS"
    shop.endpoint.advance(timedelta(hours=1))
    assert shop.status == "UPDATE_ROLLBACK_COMPLETE"


def test_a_new_version_of_the_same_code_is_refused_as_on_aws(shop: Shop) -> None:
    body = template(Orders=function(shop.put(zipped("1"))))
    body["Resources"]["First"] = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Orders"}}}
    shop.change(body)
    body["Resources"]["Second"] = {**body["Resources"].pop("First"), "DependsOn": "Orders"}
    assert shop.change(body) == "UPDATE_ROLLBACK_COMPLETE"
    assert "A version for this Lambda function exists ( 1 ). Modify the function to create a new version." in shop.failures()[0][1]
    assert "HandlerErrorCode: AlreadyExists" in shop.failures()[0][1]


def test_a_replacement_that_fails_and_stays_leaves_what_was_there(shop: Shop) -> None:
    shop.change(template(Orders=function(shop.put(zipped("1")), FunctionName="one")))
    made = shop.make(template(Orders=function("never-was", FunctionName="two")))
    shop.stacks.execute_change_set(ChangeSetName=made["ChangeSetId"], DisableRollback=True)
    assert (shop.status, shop.resources) == ("UPDATE_FAILED", {"Orders": "one"})
    assert shop.change(template(Orders=function(shop.put(zipped("2")), FunctionName="two"))) == "UPDATE_COMPLETE"
    assert [one["FunctionName"] for one in shop.functions.list_functions()["Functions"]] == ["two"]


def test_a_resource_cannot_become_one_of_another_type(shop: Shop) -> None:
    shop.change(template(Orders=function(shop.put(zipped("1")))))
    words = refused(shop.make, body=template(Orders={"Type": "AWS::SNS::Topic"}))[1]
    assert words.endswith("The new template modifies resource type of the following resources: [Orders]")
