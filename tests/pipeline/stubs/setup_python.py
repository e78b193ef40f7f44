"""actions/setup-python: the Python that runs the tests; which one a workflow asks for is not looked at."""

import sys

from tests.pipeline.stubs.given import say


def main() -> None:
    """Say where it is."""
    say(python_version=sys.version.split()[0], python_path=sys.executable)


if __name__ == "__main__":
    main()
