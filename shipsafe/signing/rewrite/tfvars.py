"""`--tfvars shipsafe.auto.tfvars.json`: what was signed, as the value of one variable of Terraform.

variable "shipsafe" {
  type = map(object({
    s3_bucket = string, s3_key = string, s3_object_version = string, source_code_hash = string,
    signing_job_arn = string, signing_profile_version_arn = string, code_signing_config_arn = string
  }))
}

A file in JSON needs no quoting rules of HCL; Terraform loads `*.auto.tfvars.json` by itself, and any other with `-var-file`.
"""

import json
from collections.abc import Sequence

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.deployable import Deployable, of_one_place

VARIABLE = "shipsafe"
_SUFFIX = ".tfvars.json"


def check_name(name: str) -> None:
    """Refuse a file that Terraform would read as HCL.

    Raises:
        ConfigError: it does not end in `.tfvars.json`.
    """
    if not name.endswith(_SUFFIX):
        raise ConfigError("Terraform reads JSON only from a file whose name ends in .tfvars.json.",
                          remedy="Name it shipsafe.auto.tfvars.json, for example.", path=name)  # fmt: skip


def tfvars(deployables: Sequence[Deployable]) -> bytes:
    """The file, by the names that artifacts have in the release manifest.

    Raises:
        ConfigError: there are none, or they were signed for several targets.
    """
    chosen = of_one_place(deployables, None, "a variable file")
    document = {
        one.name: {
            "s3_bucket": one.bucket,
            "s3_key": one.key,
            "s3_object_version": one.version,
            "source_code_hash": one.code_sha256,
            "signing_job_arn": one.job,
            "signing_profile_version_arn": one.profile_version,
            "code_signing_config_arn": one.code_signing_config if one.subject.startswith("function:") else None,
        }
        for one in sorted(chosen.values(), key=lambda one: one.name)
    }
    return (json.dumps({VARIABLE: document}, indent=2, ensure_ascii=False) + "\n").encode()
