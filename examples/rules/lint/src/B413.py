import Crypto.Cipher

