"""Writes yesterday's orders to a CSV file in S3, once a day."""

import csv
import io
import os

import boto3
from dateutil.relativedelta import relativedelta
from orders_shared import yesterday

TABLE = os.environ.get("TABLE", "orders-dev")
BUCKET = os.environ.get("BUCKET", "orders-reports")


def handler(_event: dict, _context: object) -> dict:
    """Export one day; answers with the key that was written."""
    day = yesterday()
    keep_until = day + relativedelta(years=7)
    rows = boto3.resource("dynamodb").Table(TABLE).scan()["Items"]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=["id", "customer", "total"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    key = f"{day:%Y/%m/%d}.csv"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.getvalue().encode(), Expires=keep_until)
    return {"key": key}
