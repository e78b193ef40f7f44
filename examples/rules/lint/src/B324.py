import hashlib

hashlib.md5(body)

