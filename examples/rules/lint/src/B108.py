STATE = open("/tmp/state.json")

