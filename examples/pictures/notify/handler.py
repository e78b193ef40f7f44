"""Logs which pictures were stored; needs nothing but the runtime."""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event: dict, _context: object) -> dict:
    """Log the key of every record; answers with how many there were."""
    keys = [record.get("s3", {}).get("object", {}).get("key", "") for record in event.get("Records", [])]
    logger.info("stored %d", len(keys))
    return {"stored": len(keys)}
