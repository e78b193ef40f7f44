from cryptography.hazmat.primitives import hashes

hashes.MD5()

