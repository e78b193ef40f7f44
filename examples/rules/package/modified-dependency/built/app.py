"""Greets whoever calls."""

from acme_greeting import greet


def handler(event: dict[str, str], _context: object) -> str:
    return greet(event["name"])
