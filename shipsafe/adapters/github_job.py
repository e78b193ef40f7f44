"""Whether this is a job of GitHub Actions, which its runner says in the environment; and as whom its token writes.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

import os
from collections.abc import Mapping

AUTHOR = "github-actions[bot]"  # who writes with the token of a job


def on_github(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a job of GitHub's."""
    return environment.get("GITHUB_ACTIONS") == "true"
