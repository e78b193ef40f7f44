import wsgiref.handlers.CGIHandler

