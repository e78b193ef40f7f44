import pickle


def handler(event, context):
    return pickle.loads(event["body"])

