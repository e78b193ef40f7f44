import iniconfig


def handler(event, context):
    return iniconfig.IniConfig("values.ini", event["text"]).sections
