"""The access log: a line for each request, or connection, once it is over."""
