import ssl

ssl.wrap_socket(ssl_version=ssl.PROTOCOL_SSLv3)

