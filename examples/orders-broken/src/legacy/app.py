"""The template names main.run; this file is app.py and has no `run`."""

import pickle


def handler(event, _context):
    """Load an order that somebody sent."""
    return pickle.loads(bytes.fromhex(event["order"]))
