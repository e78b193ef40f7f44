import subprocess


def handler(event, context):
    subprocess.run(f"convert {event['name']}", shell=True)

