"""Every way to write code into a template is turned to bucket, key and version, and nothing else of the template changes."""

import pytest

from shipsafe.errors import ConfigError
from tests.signing.rewrite.making import CONFIG, DIGEST, HEX, changes, turned, turned_with_remarks

_HEAD = "Transform: AWS::Serverless-2016-10-31\nResources:\n"
_SAM = "  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
_FUNCTION = "  F:\n    Type: AWS::Lambda::Function\n    Properties:\n"
_LINES = ("Bucket: signed", "Key: shipsafe/F.zip", 'Version: "v1"')
_SIGNED = "".join(f"\n        {line}" for line in _LINES)
_FLOW = '{S3Bucket: signed, S3Key: shipsafe/F.zip, S3ObjectVersion: "v1"}'
_SIGNED_CFN = '\n        S3Bucket: signed\n        S3Key: shipsafe/F.zip\n        S3ObjectVersion: "v1"'


def _diff(text: str, *ids: str, config: str | None = None) -> str:
    return changes(text, turned(text, *ids, config=config))


def _refused(text: str, *ids: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        turned(text, *ids)
    return caught.value


def test_a_path_becomes_bucket_key_and_version_and_a_comment_behind_it_stays() -> None:
    text = _HEAD + _SAM + "      CodeUri: src/   # the code\n      Handler: 'app.handler'  # kept\n"
    assert _diff(text) == "-      CodeUri: src/   # the code\n+      CodeUri:   # the code\n" + "\n".join(
        f"+        {line}" for line in _LINES
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("CodeUri: {Bucket: old, Key: k} # why", 'CodeUri: {Bucket: signed, Key: shipsafe/F.zip, Version: "v1"} # why'),
        ('"CodeUri": "src"', '"CodeUri":' + _SIGNED),
        (
            "CodeUri:  # why\n        Bucket: old  # where\n        Key: !Sub '${K}'\n        Version: '1'",
            'CodeUri:  # why\n        Bucket: signed  # where\n        Key: shipsafe/F.zip\n        Version: "v1"',
        ),
        ("CodeUri: !Sub 'src/${AWS::Region}'", "CodeUri:" + _SIGNED),
        ("CodeUri:\n        src", "CodeUri:" + _SIGNED),
        ("CodeUri: >-\n        src\n\n", "CodeUri:" + _SIGNED + "\n\n"),
        ("CodeUri:", "CodeUri:" + _SIGNED),
        (
            "InlineCode: |  # here\n        def handler(e, c):\n          return 1\n\n",
            "CodeUri:" + _SIGNED + "\n\n",
        ),
    ],
)
def test_code_of_sam_in_every_form(written: str, expected: str) -> None:
    text = f"{_HEAD}{_SAM}      Handler: app.handler\n      {written}\n      Timeout: 3 # s\n"
    assert turned(text) == text.replace(written, expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Code: src", "Code:" + _SIGNED_CFN),
        ("Code: {ZipFile: 'def f(): 0'}", 'Code: {S3Bucket: signed, S3Key: shipsafe/F.zip, S3ObjectVersion: "v1"}'),
        (
            "Code:\n        ZipFile: |\n          x = 1\n          # end",
            "Code:" + _SIGNED_CFN,
        ),
        (
            "Code:\n        S3Bucket: !Ref Bucket\n        S3Key: k\n        SourceKMSKeyArn: arn:aws:kms:x",
            "Code:" + _SIGNED_CFN + "\n        SourceKMSKeyArn: arn:aws:kms:x",
        ),
    ],
)
def test_code_of_cloudformation_in_every_form_and_its_key_stays(written: str, expected: str) -> None:
    text = f"Resources:\n{_FUNCTION}      {written}\n      Handler: app.handler\n"
    assert turned(text) == text.replace(written, expected)


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("AWS::Serverless::LayerVersion", "ContentUri: l", "ContentUri:" + _SIGNED),
        ("AWS::Lambda::LayerVersion", "Content: {S3Bucket: b, S3Key: k}", f"Content: {_FLOW}"),
    ],
)  # fmt: skip
def test_layers_take_what_was_signed_and_no_code_signing_configuration(kind: str, written: str, expected: str) -> None:
    text = f"Resources:\n  F:\n    Type: {kind}\n    Properties:\n      {written}\n"
    assert turned(text, config=CONFIG) == text.replace(written, expected)


def test_a_template_in_flow_style_keeps_it() -> None:
    text = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: src, Handler: a.b}}} # all\n"
    assert turned(text, config=CONFIG) == text.replace(
        "CodeUri: src", f'CodeUri: {{Bucket: signed, Key: shipsafe/F.zip, Version: "v1"}}, CodeSigningConfigArn: {CONFIG}'
    )


def test_json_keeps_order_and_indentation() -> None:
    text = (
        '{\n\t"Resources": {\n\t\t"F": {\n\t\t\t"Type": "AWS::Lambda::Function",\n\t\t\t"Properties": {\n\t\t\t\t"Code": "src",\n'
        '\t\t\t\t"Description": "\\ud83d\\ude00 \\/ \\u00e9"\n\t\t\t}\n\t\t}\n\t}\n}\n'
    )
    tabs = "\t\t\t\t"
    code = (
        f'"Code": {{\n{tabs}\t"S3Bucket": "signed",\n{tabs}\t"S3Key": "shipsafe/F.zip",\n{tabs}\t"S3ObjectVersion": "v1"\n{tabs}}},\n'
        f'{tabs}"CodeSigningConfigArn": "{CONFIG}"'
    )
    assert turned(text, config=CONFIG, json_only=True) == text.replace('"Code": "src"', code)


def test_json_on_one_line_stays_on_one_line() -> None:
    text = '{"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Code":{"ZipFile":"x"},"Handler":"index.h"}}}}'
    new = '"S3Bucket":"signed","S3Key":"shipsafe/F.zip","S3ObjectVersion":"v1"'
    assert turned(text, json_only=True) == text.replace('"ZipFile":"x"', new)


def test_line_ends_of_windows_and_a_missing_last_one_stay() -> None:
    text = (_HEAD + _SAM + "      Handler: a.b\n      CodeUri: src").replace("\n", "\r\n")
    new = turned(text, config=CONFIG)
    assert new.count("\n") == new.count("\r\n") == text.count("\n") + 4
    assert not new.endswith("\n")


def test_a_function_without_properties_gets_them() -> None:
    text = "Globals:\n  Function:\n    Handler: a.b\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
    added = ("    Properties:", "      CodeUri:", *(f"        {line}" for line in _LINES), f"      CodeSigningConfigArn: {CONFIG}")
    assert _diff(text, config=CONFIG) == "\n".join(f"+{line}" for line in added)


def test_code_in_globals_goes_when_nobody_takes_it_any_more_and_stays_when_somebody_does() -> None:
    resources = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n  G:\n    Type: AWS::Serverless::Function\n"
    text = "Globals:\n  Function:\n    CodeUri: src # all\n    Runtime: python3.13\n" + resources
    assert "CodeUri: src" not in turned(text, "F", "G")
    assert "    Runtime: python3.13" in turned(text, "F", "G")
    assert "    CodeUri: src # all\n" in turned(text, "F")
    alone = "Globals:\n  Function:\n    CodeUri: src\nDescription: x\n" + resources
    assert turned(alone, "F", "G").startswith("Description: x\n")


def test_a_digest_that_holds_an_alias_back_becomes_that_of_the_signed_object() -> None:
    own = _HEAD + _SAM + "      CodeUri: src\n      AutoPublishAlias: live\n      AutoPublishCodeSha256: 0123\n"
    assert f'      AutoPublishCodeSha256: "{HEX}"\n' in turned(own)
    shared = "Globals: {Function: {AutoPublishCodeSha256: abc}}\n" + _HEAD + _SAM + "      CodeUri: src\n"
    assert f'      AutoPublishCodeSha256: "{HEX}"\n' in turned(shared)
    assert "AutoPublishCodeSha256" not in turned(_HEAD + _SAM + "      CodeUri: src\n      AutoPublishAlias: live\n")


def test_a_version_of_cloudformation_names_the_signed_digest_and_a_remark_says_what_it_does_not_do() -> None:
    version = "  V:\n    Type: AWS::Lambda::Version\n    Properties: {FunctionName: !Ref F, CodeSha256: old}\n"
    new, remarks = turned_with_remarks("Resources:\n" + _FUNCTION + "      Code: src\n" + version)
    assert f'CodeSha256: "{DIGEST}"' in new
    assert [remark for remark in remarks if "only when its logical id changes" in remark]
    get_att = version.replace("!Ref F, CodeSha256: old", "!GetAtt F.Arn")
    new, remarks = turned_with_remarks("Resources:\n" + _FUNCTION + "      Code: src\n" + get_att)
    assert "CodeSha256" not in new
    assert len(remarks) == 1


def test_metadata_of_sam_stays_and_that_of_cdk_about_assets_goes() -> None:
    """SAM puts `aws:asset:path` back in place of whatever `Code` says."""
    text = (
        "Resources:\n" + _FUNCTION + "      Code: {S3Bucket: b, S3Key: k}\n    Metadata:\n      BuildMethod: python3.13\n"
        "      aws:cdk:path: A/F\n      aws:asset:path: asset.1\n      aws:asset:property: Code\n"
    )
    new = turned(text)
    assert "BuildMethod: python3.13\n      aws:cdk:path: A/F\n" in new
    assert "aws:asset" not in new
    alone = (
        "Resources:\n" + _FUNCTION + "      Code: {S3Bucket: b, S3Key: k}\n    Metadata:\n      aws:asset:path: asset.1\n    DependsOn: X\n"
    )
    assert "Metadata" not in turned(alone)


def test_another_code_signing_configuration_is_replaced_and_said() -> None:
    text = _HEAD + _SAM + "      CodeSigningConfigArn: !Ref Own\n      CodeUri: src\n"
    new, remarks = turned_with_remarks(text, config=CONFIG)
    assert f"CodeSigningConfigArn: {CONFIG}\n" in new
    assert remarks == ["F (template.yaml:6) had another code-signing configuration; now it has the one of target prod."]
    assert "!Ref Own" in turned(text)
    assert turned_with_remarks(text.replace("!Ref Own", CONFIG), config=CONFIG)[1] == []


def test_an_unsigned_function_is_named_and_one_with_a_code_signing_configuration_apart() -> None:
    more = (
        "  Js:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: js}\n"
        "  Held:\n    Type: AWS::Lambda::Function\n    Properties: {Code: js, CodeSigningConfigArn: !Ref Csc}\n"
    )
    _, remarks = turned_with_remarks(_HEAD + _SAM + "      CodeUri: src\n" + more)
    assert remarks[0] == "Not signed, and left as it was: Js (template.yaml:7)."
    assert "Held (template.yaml:10) was not signed and has a code-signing configuration" in remarks[1]
    shared = "Globals: {Function: {CodeSigningConfigArn: !Ref Csc}}\n" + _HEAD + _SAM + "      CodeUri: src\n" + more
    assert any(remark.startswith("Js (template.yaml:8) was not signed and has") for remark in turned_with_remarks(shared)[1])


def test_a_parameter_that_named_the_code_is_said_to_decide_nothing_any_more() -> None:
    text = "Parameters: {Place: {Type: String}}\n" + _HEAD + _SAM + "      CodeUri: !Sub 's3://x/${Place}'\n"
    new, remarks = turned_with_remarks(text)
    assert "Bucket: signed" in new
    assert remarks == ["F (template.yaml:7) takes the signed object; parameter Place no longer says which code it runs."]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("CodeUri: !If [A, one, two]", "depends on a condition"),
        ("CodeUri: {Bucket: {'Fn::If': [A, one, two]}, Key: k}", "depends on a condition"),
        ("CodeUri: {'Fn::Transform': {Name: M}}", "depends on a condition or a macro"),
        ("InlineCode: !If [A, one, two]", "depends on a condition"),
        ("Fn::Transform: {Name: 'AWS::Include', Parameters: {Location: s3://b/k}}", "A macro writes properties of F"),
    ],
)
def test_code_that_depends_on_a_condition_or_macro_is_refused_with_its_line(code: str, what: str) -> None:
    error = _refused(_HEAD + _SAM + f"      {code}\n")
    assert what in error.what
    assert (error.path, error.line) == ("template.yaml", 6)


def test_code_in_globals_that_depends_on_a_condition_is_refused_at_each_function_that_has_no_other() -> None:
    shared = "Globals: {Function: {CodeUri: !If [A, one, two]}}\n" + _HEAD + _SAM
    assert "depends on a condition" in _refused(shared + "      Handler: a.b\n").what
    assert "Bucket: signed" in turned(shared + "      CodeUri: src\n")


def test_code_that_runs_from_the_bucket_is_refused() -> None:
    error = _refused("Resources:\n" + _FUNCTION + "      Code:\n        S3Bucket: b\n        S3ObjectStorageMode: REFERENCE\n")
    assert "S3ObjectStorageMode" in error.what


@pytest.mark.parametrize("image", ["PackageType: Image", "ImageUri: x"])
def test_an_image_takes_no_zip(image: str) -> None:
    assert "runs a container image here" in _refused(_HEAD + _SAM + f"      {image}\n").what
    assert "runs a container image here" in _refused("Resources:\n" + _FUNCTION + "      Code: {ImageUri: x}\n").what


def test_a_remark_names_the_first_twenty() -> None:
    many = "".join(f"  G{number}: {{Type: AWS::Lambda::Function}}\n" for number in range(23))
    (remark,) = turned_with_remarks("Resources:\n" + _FUNCTION + "      Code: src\n" + many)[1]
    assert remark.endswith("G19 (template.yaml:25) and 3 more.")


def test_a_resource_that_is_not_there_or_something_else_is_refused() -> None:
    assert "no resource F" in _refused("Resources:\n  G: {Type: AWS::Lambda::Function}\n").what
    assert "neither a function nor a layer" in _refused("Resources:\n  F: {Type: AWS::S3::Bucket}\n").what


def test_inline_code_that_comes_from_globals_is_refused() -> None:
    assert "InlineCode" in _refused("Globals: {Function: {InlineCode: x}}\n" + _HEAD + _SAM + "      Handler: a.b\n").what


def test_a_code_signing_configuration_of_another_region_is_refused() -> None:
    with pytest.raises(ConfigError, match="lies in us-east-1"):
        turned(_HEAD + _SAM + "      CodeUri: src\n", config=CONFIG.replace("eu-west-1", "us-east-1"))


def test_what_two_functions_share_through_an_anchor_is_changed_for_both_or_not_at_all() -> None:
    shared = _HEAD + _SAM + "      CodeUri: &code src\n  G:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: *code\n"
    both = turned(shared, "F", "G")
    assert both.count("Bucket: signed") == 2
    assert "without changing more than them" in _refused(shared, "F").what
    whole = (
        _HEAD
        + _SAM.replace("Properties:", "Properties: &p")
        + "      CodeUri: src\n"
        + _SAM.replace("F:", "G:", 1).replace("Properties:", "Properties: *p")
    )
    assert "without changing more than them" in _refused(whole, "F").what
    assert "is an alias" in _refused(whole, "G").what


def test_code_that_comes_from_a_merge_is_overridden_at_the_function() -> None:
    text = (
        "X: &x\n  CodeUri: src\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      <<: *x\n      Handler: a.b\n"
    )
    assert _diff(text) == "\n".join(("+      CodeUri:", *(f"+        {line}" for line in _LINES)))
