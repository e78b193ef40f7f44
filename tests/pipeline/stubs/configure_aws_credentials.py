"""aws-actions/configure-aws-credentials: a token of the issuer, and the role's credentials from STS, both really asked."""

import os
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

from tests.pipeline.stubs.given import export, fail, inputs, need, say
from tests.pipeline.stubs.identity import identity_token


def main() -> None:
    """Take the role."""
    given = inputs()
    region, role = given["aws-region"], given["role-to-assume"]
    if not role.startswith("arn:aws"):
        fail("Credentials could not be loaded, please check your action inputs: no role-to-assume")
    need("id-token: write")
    account = role.split(":")[4]
    if given["allowed-account-ids"] and account not in given["allowed-account-ids"].replace(" ", "").split(","):
        fail(f"The account ID {account} is not in allowed-account-ids")
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": given["role-session-name"],
        "DurationSeconds": given["role-duration-seconds"],
        "WebIdentityToken": identity_token(given["audience"]),
    }
    request = Request(os.environ["AWS_ENDPOINT_URL"], data=urlencode(form).encode(), headers={"Host": f"sts.{region}.amazonaws.com"})  # noqa: S310 - a loopback
    try:
        with urlopen(request, timeout=300) as answer:  # noqa: S310 - likewise
            tree = ET.fromstring(answer.read())  # noqa: S314 - of the local endpoint
    except HTTPError as error:
        fail(f"Could not assume role with OIDC: {error.read().decode(errors='replace')[:500]}".replace("\n", " "))
    parts = {element.tag.rpartition("}")[2]: element.text or "" for element in tree.iter()}
    credentials = {
        "AWS_ACCESS_KEY_ID": parts["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": parts["SecretAccessKey"],
        "AWS_SESSION_TOKEN": parts["SessionToken"],
    }
    if given["output-env-credentials"] == "true":
        export({**credentials, "AWS_REGION": region, "AWS_DEFAULT_REGION": region})
    if given["output-credentials"] == "true":
        say(**{name.lower(): value for name, value in credentials.items()})
    say(aws_account_id=account)


if __name__ == "__main__":
    main()
