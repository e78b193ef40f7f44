"""Who looks after a function: it is known by tags that nobody else can write, or by what the release was built from."""

import pytest

from shipsafe.deploy.managed import Manager, Via, manager_of, refusal
from shipsafe.errors import ExitCode

STACK = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "Orders", "team": "shop"}


@pytest.mark.parametrize(
    ("tags", "source", "via"),
    [
        (STACK, None, Via.CLOUDFORMATION),
        (STACK | {"lambda:createdBy": "SAM"}, None, Via.SAM),
        (STACK, Via.CDK, Via.CDK),
        (STACK, Via.SAM, Via.SAM),
        (STACK, Via.TERRAFORM, Via.CLOUDFORMATION),  # Terraform's aws_cloudformation_stack: the stack is what would revert it
        ({}, Via.TERRAFORM, Via.TERRAFORM),
        ({"ManagedBy": "Terraform"}, None, Via.TERRAFORM),
        ({"managed-by": "terraform-cloud"}, None, Via.TERRAFORM),
        ({"terraform": "true"}, Via.SAM, Via.TERRAFORM),
        ({"IaC": "OpenTofu 1.9"}, None, Via.TERRAFORM),
    ],
)
def test_who_manages_a_function_is_known(tags: dict[str, str], source: Via | None, via: Via) -> None:
    found = manager_of(tags, source=source)
    assert found is not None
    assert found.via is via


@pytest.mark.parametrize("tags", [{}, {"terraform": "false"}, {"owner": "terraform team"}, {"ManagedBy": "shop"}, {"cloudformation": "x"}])
@pytest.mark.parametrize("source", [None, Via.SAM, Via.CDK, Via.CLOUDFORMATION])
def test_a_function_that_nobody_manages_has_no_manager(tags: dict[str, str], source: Via | None) -> None:
    """A template alone proves nothing: the sandbox creates its functions, and many templates were never deployed."""
    assert manager_of(tags, source=source) is None


def test_the_refusal_says_why_and_what_to_run() -> None:
    manager = manager_of(STACK, source=Via.SAM)
    assert manager == Manager(via=Via.SAM, stack="shop", why="CloudFormation stack shop manages it.")
    error = refusal("orders", manager, "dist")
    assert error.exit_code is ExitCode.USAGE
    assert "CloudFormation stack shop manages it." in error.what
    assert "`shipsafe deploy dist`" in error.remedy
