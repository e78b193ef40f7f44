# The tasks of this repository. Run one with `.tools/bin/uv run --frozen just NAME`; see README.md for how uv gets there.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Everything that must hold: style, types, rooms, generated files, tests.
test: lint types rooms docs-check tests

# Style and formatting.
lint:
    ruff check .
    ruff format --check .

# Types.
types:
    mypy
    mypy docs/pictures.py
    mypy .github/release/attest.py .github/release/verify.py

# Who may import whom.
rooms:
    lint-imports

# The test suite, on two processes; installs real packages from the registry.
tests *ARGS:
    pytest -n 2 --dist worksteal {{ ARGS }}

# The laws over examples that no run has tried before; whoever finds a counter-example adds it to the test with @example.
explore *ARGS:
    pytest -n 2 --dist worksteal --hypothesis-profile explore {{ ARGS }} $(grep -rl --include='test_*.py' '^from hypothesis' tests)

# Compress as if on other processors, and compare; needs qemu-user.
processors:
    python bench/processors.py

# Write the generated files: rule pages, policy reference, command pages, README parts, configs/.
docs:
    python docs/generate.py

# Fail when a generated file is not what the code says.
docs-check:
    python docs/generate.py --check

# Format, and mend what can be mended.
format:
    ruff check --fix .
    ruff format .
