import marshal

marshal.loads(body)

