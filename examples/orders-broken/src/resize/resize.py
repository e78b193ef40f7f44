"""Resizes a picture with a native module that was built for another processor."""

import tempfile


def handler(event, _context):
    """Resize one picture."""
    path = tempfile.mktemp()
    with open(path, "wb") as file:
        file.write(event["body"].encode())
    return {"path": path}
