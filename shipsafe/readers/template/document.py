"""A template file -> Node, with right lines and columns."""

from pathlib import Path

from shipsafe.adapters.template_text import parse, read_text
from shipsafe.errors import ConfigError
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.compose import compose
from shipsafe.readers.template.node import Node


def read_document(path: Path, *, name: str, budget: Budget) -> Node:
    """The template in that file; its value is a mapping.

    Args:
        path: the file.
        name: its `Location.path`, for positions and messages.
        budget: what the project may still cost.

    Raises:
        ConfigError: missing, not a regular file, over 5 MiB, not UTF-8, not YAML or JSON, hostile, or not a mapping.
    """
    text = read_text(path, name=name)
    node = parse(text, lambda events: compose(events, path=name, budget=budget), name=name, json_only=path.suffix == ".json")
    if node is None or node.value is None:
        raise ConfigError("The template is empty.", remedy="Write `Resources`, or name another file.", path=name)
    if not isinstance(node.value, dict):
        raise ConfigError(
            "A template is a mapping, and this is not.",
            remedy="Begin with `Resources:`.",
            path=name,
            line=node.line,
            column=node.column,
        )
    return node
