from cryptography.hazmat.primitives.ciphers import algorithms

algorithms.ARC4(key)

