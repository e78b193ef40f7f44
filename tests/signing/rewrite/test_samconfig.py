"""SAM's settings: what has to change changes on its line, and everything else stays byte for byte."""

import tomllib

import pytest

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.samconfig import samconfig
from tests.signing.rewrite.making import changes

_FILE = """# Orders
version = 0.1   # of the format

[default.global.parameters]
stack_name = "orders" # everywhere

[default.deploy.parameters] # the release
capabilities = "CAPABILITY_IAM"
template_file = 'template.yaml'   # by hand
parameter_overrides = [
    "Stage=prod",
]
signing_profiles = [
    "CreateOrder=orders_2026",   # old
    "Shared=orders_2026",
]

[prod.deploy.parameters]
region = "us-east-1"
template_file = "template.yaml"
"""
_CHANGED = """
-template_file = 'template.yaml'   # by hand
+template_file = "out.yaml"   # by hand
-signing_profiles = [
-    "CreateOrder=orders_2026",   # old
-    "Shared=orders_2026",
-]
+region = "eu-west-1"
+s3_bucket = "signed"
+s3_prefix = "templates"
"""


def _new(text: str | None, **given: str) -> str:
    settings = {"template": "out.yaml", "bucket": "signed", "region": "eu-west-1", "name": "samconfig.toml", **given}
    return samconfig(text, **settings)


def test_a_file_that_is_not_there_is_made() -> None:
    assert tomllib.loads(_new(None)) == {
        "version": 0.1,
        "default": {
            "deploy": {"parameters": {"template_file": "out.yaml", "region": "eu-west-1", "s3_bucket": "signed", "s3_prefix": "templates"}}
        },
    }


def test_only_the_lines_that_must_change_do() -> None:
    assert changes(_FILE, _new(_FILE)) == _CHANGED.strip("\n")


def test_a_second_time_changes_nothing() -> None:
    once = _new(_FILE)
    assert _new(once) == once


def test_a_bucket_or_resolve_s3_that_is_there_stays() -> None:
    assert "signed" not in _new('version = 0.1\n[default.deploy.parameters]\ns3_bucket = "mine"\n')
    resolved = _new("version = 0.1\n[default.global.parameters]\nresolve_s3 = true\n")
    assert "s3_bucket" not in resolved
    assert 's3_bucket = "signed"' in _new("version = 0.1\n[default.deploy.parameters]\nresolve_s3 = false\n")


def test_profiles_go_from_what_all_commands_share_too() -> None:
    text = 'version = 0.1\n[default.global.parameters]\nsigning_profiles = "F=p"\nstack_name = "x"\n'
    assert tomllib.loads(_new(text))["default"]["global"]["parameters"] == {"stack_name": "x"}


@pytest.mark.parametrize(
    "text",
    [
        'version = 0.1\n[default]\ndeploy = {parameters = {template_file = "x"}}\n',
        'version = 0.1\n[default.deploy]\nparameters.template_file = "x"\n',
        'default.deploy.parameters.template_file = "x"\n',
        'version = 0.1\n["default".deploy.parameters]\ntemplate_file = "x"\n',
    ],
)
def test_settings_that_lines_cannot_follow_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be changed there") as caught:
        _new(text)
    assert caught.value.path == "samconfig.toml"


def test_text_that_looks_like_a_table_is_none() -> None:
    text = 'version = 0.1\nnote = """\n[default.deploy.parameters]\ntemplate_file = "x"\n"""\n'
    with pytest.raises(ConfigError, match="cannot be changed there"):
        _new(text)


def test_another_region_is_refused() -> None:
    with pytest.raises(ConfigError, match="deploys to us-east-1"):
        _new('version = 0.1\n[default.global.parameters]\nregion = "us-east-1"\n')


def test_line_ends_of_windows_stay_and_names_are_quoted() -> None:
    text = 'version = 0.1\r\n[default.deploy.parameters]\r\ntemplate_file = "a.yaml"\r\n'
    new = _new(text, template='a "b"\\\u00e9.yaml')
    assert new.count("\n") == new.count("\r\n")
    assert tomllib.loads(new)["default"]["deploy"]["parameters"]["template_file"] == 'a "b"\\\u00e9.yaml'


def test_mixed_line_ends_stay_mixed() -> None:
    text = 'version = 0.1\r\n# one\n[default.deploy.parameters]\ntemplate_file = "a.yaml"\n'
    assert _new(text).startswith("version = 0.1\r\n# one\n[default.deploy.parameters]\n")


@pytest.mark.parametrize("text", ["a = ", "a = " + "[" * 3000, "x." * 100 + "y = 1"])
def test_what_is_not_toml_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        _new(text)
