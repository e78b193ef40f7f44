"""Takes a payment. Everything in here that looks wrong is wrong on purpose."""

import hashlib
import subprocess

import requests


def handler(event, _context):
    """Charge a card."""
    amount = eval(event["amount"])
    receipt = hashlib.md5(str(amount).encode()).hexdigest()
    subprocess.call("echo paid " + event["customer"], shell=True)
    return requests.post(event["callback"], json={"receipt": receipt}, verify=False, timeout=5).json()
