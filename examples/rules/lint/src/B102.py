def handler(event, context):
    exec(event["code"])

