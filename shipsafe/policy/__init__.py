"""shipsafe.toml -> Policy, with its waivers and its digest."""

from shipsafe.policy.load import load
from shipsafe.policy.render import generated_configs, init_text, policy_schema, reference_markdown, show

__all__ = ["generated_configs", "init_text", "load", "policy_schema", "reference_markdown", "show"]
