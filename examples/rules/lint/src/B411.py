import xmlrpc

