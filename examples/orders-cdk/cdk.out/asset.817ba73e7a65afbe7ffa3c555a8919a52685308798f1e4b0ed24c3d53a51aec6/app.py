"""Takes an order from API Gateway and stores it."""

import os
import uuid

import boto3
import orjson
from orders_shared import render_receipt, validate

TABLE = os.environ.get("TABLE", "orders-dev")


def handler(event: dict, _context: object) -> dict:
    """Store one order; answers 400 with what is wrong, or 201 with the receipt."""
    order = orjson.loads(event.get("body") or "{}")
    problems = validate(order)
    if problems:
        return {"statusCode": 400, "body": orjson.dumps({"problems": problems}).decode()}
    order["id"] = str(uuid.uuid4())
    boto3.resource("dynamodb").Table(TABLE).put_item(Item=order)
    return {"statusCode": 201, "body": render_receipt(order)}
