"""What could not be looked at, as a link: a refusal names the right that is missing."""

from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.errors import ShipsafeError
from shipsafe.model.chain import Hold, Link

_RIGHTS = {"GetLayerVersionByArn": "lambda:GetLayerVersion"}  # where the action is not called as the operation
_SIGNER = ("DescribeSigningJob", "GetSigningProfile")


def not_looked(name: str, error: ShipsafeError) -> Link:
    """The link that could not be looked at, with the right that is missing where AWS denied it."""
    remedy = error.remedy
    if isinstance(error, AwsRefusal) and error.denied:
        right = _RIGHTS.get(error.operation) or f"{'signer' if error.operation in _SIGNER else 'lambda'}:{error.operation}"
        remedy = f"Give these credentials the right {right}; configs/iam/verify.json holds all that `verify` needs."
    return Link(id=name, hold=Hold.UNANSWERED, sentence=error.what, remedy=remedy)
