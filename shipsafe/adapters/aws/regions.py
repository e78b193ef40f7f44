"""The regions that an account can use. An opt-in region that is not turned on runs nothing, and refuses every credential.

Source: Amazon EC2 API Reference, DescribeRegions: without AllRegions it gives those that are enabled for the account.
"""

from shipsafe.adapters.aws.refusals import aws_errors
from shipsafe.adapters.aws.session import Aws
from shipsafe.errors import IncompleteError


def enabled_regions(aws: Aws) -> tuple[str, ...]:
    """Their names, sorted.

    Raises:
        IncompleteError: EC2 refused, gave no answer, or named none.
    """
    with aws_errors("list the regions of the account"):
        found = sorted({str(one["RegionName"]) for one in aws.client("ec2").describe_regions()["Regions"]})
    if not found:
        raise IncompleteError("EC2 names no region that this account can use.", remedy="Name them with --region.")
    return tuple(found)
