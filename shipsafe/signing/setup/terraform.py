"""What `bootstrap` makes, as Terraform for the `aws` provider (5 or newer). Nothing is asked of AWS."""

import json
from collections.abc import Sequence

from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.setup.publisher import existing_profile
from shipsafe.signing.setup.templates import TemplateRole, Verbatim, Words, hcl_lines, template_roles
from shipsafe.signing.setup.trust import AUDIENCE
from shipsafe.signing.setup.wanted import (
    NONCURRENT_DAYS,
    TLS_SID,
    UNSIGNED_DAYS,
    UPLOAD_DAYS,
    VALIDITY_MONTHS,
    abort_rule,
    description,
    unsigned_rule,
)

_ACCOUNT = "${data.aws_caller_identity.current.account_id}"
_REGION = "${data.aws_region.current.name}"
_PARTITION = "${data.aws_partition.current.partition}"
_WORDS = Words(
    partition=_PARTITION,
    account=_ACCOUNT,
    region=_REGION,
    suffix="${data.aws_partition.current.dns_suffix}",
    version="${aws_signer_signing_profile.shipsafe.version}",
    provider=Verbatim("local.identity_provider"),
)


def terraform(target: SignTarget, *, configuration: bool, policy: Policy | None = None, going: Sequence[SignTarget] = ()) -> str:
    """The module as HCL; arguments and errors are those of `cloudformation`.

    Raises:
        ConfigError: see there.
    """
    there = existing_profile(target, partition=_PARTITION, region=_REGION, account=_ACCOUNT)
    parts = [_head(target), _bucket(target), _closed(), _life_cycle(target)]
    if there is None:
        parts.append(_profile(target))
    if configuration:
        parts.append(_configuration(target, there))
    if policy and (roles := template_roles(policy, target, going, _WORDS)):
        parts += [_provider(policy), *(_role(one) for one in roles)]
    return "\n".join(parts)


def _head(target: SignTarget) -> str:
    where = f"\n# The provider must be set to region {target.region}." if target.region else ""
    return f"""\
# What `shipsafe sign --target {target.name}` needs on AWS. Written by `shipsafe bootstrap --print terraform`.{where}
data "aws_caller_identity" "current" {{}}
data "aws_region" "current" {{}}
data "aws_partition" "current" {{}}
"""


def _bucket(target: SignTarget) -> str:
    name = target.bucket_in(_ACCOUNT, _REGION)
    key = ""
    if target.kms_key is not None:
        key = f"\n      kms_master_key_id = {json.dumps(target.kms_key)}"
    return f"""\
resource "aws_s3_bucket" "shipsafe" {{
  bucket = {json.dumps(name)}
  lifecycle {{
    prevent_destroy = true # functions and stacks name the versions in it
  }}
}}

# Signer and Lambda name exact versions.
resource "aws_s3_bucket_versioning" "shipsafe" {{
  bucket = aws_s3_bucket.shipsafe.id
  versioning_configuration {{
    status = "Enabled"
  }}
}}

resource "aws_s3_bucket_server_side_encryption_configuration" "shipsafe" {{
  bucket = aws_s3_bucket.shipsafe.id
  rule {{{"" if target.kms_key is None else f"{chr(10)}    bucket_key_enabled = true"}
    apply_server_side_encryption_by_default {{
      sse_algorithm = "{"AES256" if target.kms_key is None else "aws:kms"}"{key}
    }}
  }}
}}
"""


def _closed() -> str:
    return f"""\
resource "aws_s3_bucket_public_access_block" "shipsafe" {{
  bucket                  = aws_s3_bucket.shipsafe.id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}}

resource "aws_s3_bucket_ownership_controls" "shipsafe" {{
  bucket = aws_s3_bucket.shipsafe.id
  rule {{
    object_ownership = "BucketOwnerEnforced"
  }}
}}

resource "aws_s3_bucket_policy" "shipsafe" {{
  bucket = aws_s3_bucket.shipsafe.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid       = "{TLS_SID}"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.shipsafe.arn, "${{aws_s3_bucket.shipsafe.arn}}/*"]
      Condition = {{ Bool = {{ "aws:SecureTransport" = "false" }} }}
    }}]
  }})
}}
"""


def _life_cycle(target: SignTarget) -> str:
    return f"""\
# What is signed stays for ever: a roll-back needs it.
resource "aws_s3_bucket_lifecycle_configuration" "shipsafe" {{
  bucket     = aws_s3_bucket.shipsafe.id
  depends_on = [aws_s3_bucket_versioning.shipsafe]
  rule {{
    id     = "{abort_rule()["ID"]}"
    status = "Enabled"
    filter {{
      prefix = ""
    }}
    abort_incomplete_multipart_upload {{
      days_after_initiation = {UPLOAD_DAYS}
    }}
  }}
  rule {{
    id     = "{unsigned_rule(target.prefix)["ID"]}"
    status = "Enabled"
    filter {{
      prefix = {json.dumps(f"{target.prefix}unsigned/")}
    }}
    expiration {{
      days = {UNSIGNED_DAYS}
    }}
    noncurrent_version_expiration {{
      noncurrent_days = {NONCURRENT_DAYS}
    }}
  }}
}}
"""


def _profile(target: SignTarget) -> str:
    return f"""\
resource "aws_signer_signing_profile" "shipsafe" {{
  name        = {json.dumps(target.profile)}
  platform_id = "{PLATFORM}"
  signature_validity_period {{
    value = {VALIDITY_MONTHS}
    type  = "MONTHS"
  }}
  lifecycle {{
    prevent_destroy = true # destroying it would cancel it, and its name is taken for ever
  }}
}}

output "profile_version_arn" {{
  value = aws_signer_signing_profile.shipsafe.version_arn
}}
"""


def _configuration(target: SignTarget, there: str | None) -> str:
    trusted = json.dumps(there) if there else "aws_signer_signing_profile.shipsafe.version_arn"
    return f"""\
resource "aws_lambda_code_signing_config" "shipsafe" {{
  description = {json.dumps(description(target.profile))}
  allowed_publishers {{
    signing_profile_version_arns = [{trusted}]
  }}
  policies {{
    untrusted_artifact_on_deployment = "Enforce" # Lambda's own default, Warn, runs unsigned code
  }}
}}

output "code_signing_config_arn" {{
  value = aws_lambda_code_signing_config.shipsafe.arn
}}
"""


def _provider(policy: Policy) -> str:
    return f"""\
variable "identity_provider_arn" {{
  type        = string
  default     = ""
  description = "Of the identity provider for {policy.pipeline.issuer}, where the account has one already; empty to make it"
}}

resource "aws_iam_openid_connect_provider" "shipsafe" {{
  count          = var.identity_provider_arn == "" ? 1 : 0
  url            = {json.dumps(policy.pipeline.issuer)}
  client_id_list = ["{AUDIENCE}"]
  lifecycle {{
    prevent_destroy = true # other roles may use it, too
  }}
}}

locals {{
  identity_provider = var.identity_provider_arn == "" ? aws_iam_openid_connect_provider.shipsafe[0].arn : var.identity_provider_arn
}}
"""


def _role(one: TemplateRole) -> str:
    name = f"shipsafe_{one.job}"
    return f"""\
resource "aws_iam_role" "{name}" {{
  name                 = {json.dumps(one.name)}
  description          = {json.dumps(one.description)}
  max_session_duration = {one.job.session}
  assume_role_policy = jsonencode({hcl_lines(one.trust, 2)})
  tags = {hcl_lines(dict(one.tags), 2)}
}}

resource "aws_iam_role_policy" "{name}" {{
  name   = "{one.policy}"
  role   = aws_iam_role.{name}.id
  policy = jsonencode({hcl_lines(one.rights, 2)})
}}
"""
