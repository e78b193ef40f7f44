"""Terraform's variables: what was signed, by the names of the release."""

import json

import pytest

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.tfvars import check_name, tfvars
from tests.signing.rewrite.making import CONFIG, DIGEST, deployable


def test_each_function_and_layer_has_what_terraform_asks_for() -> None:
    functions = [deployable("function:report.this", config=CONFIG), deployable("layer:shared", config=CONFIG)]
    assert json.loads(tfvars(functions)) == {
        "shipsafe": {
            "report.this": {
                "s3_bucket": "signed",
                "s3_key": "shipsafe/report.this.zip",
                "s3_object_version": "v1",
                "source_code_hash": DIGEST,
                "signing_job_arn": functions[0].job,
                "signing_profile_version_arn": functions[0].profile_version,
                "code_signing_config_arn": CONFIG,
            },
            "shared": {
                "s3_bucket": "signed",
                "s3_key": "shipsafe/shared.zip",
                "s3_object_version": "v1",
                "source_code_hash": DIGEST,
                "signing_job_arn": functions[1].job,
                "signing_profile_version_arn": functions[1].profile_version,
                "code_signing_config_arn": None,
            },
        }
    }


def test_equal_inputs_give_equal_bytes_in_any_order() -> None:
    both = [deployable("function:b"), deployable("function:a")]
    assert tfvars(both) == tfvars(both[::-1])


def test_several_targets_and_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="one target"):
        tfvars([deployable(), deployable(target="other")])
    with pytest.raises(ConfigError, match="Nothing was signed"):
        tfvars([])


def test_a_name_under_which_terraform_would_read_hcl_is_refused() -> None:
    check_name("shipsafe.auto.tfvars.json")
    for name in ("shipsafe.tfvars", "shipsafe.json", "tfvars.json"):
        with pytest.raises(ConfigError, match="JSON"):
            check_name(name)
