import ssl

ssl.wrap_socket()

