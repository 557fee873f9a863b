"""HTTP/1.1 to one server over connections that are kept: what every call takes, and nothing else of the protocol."""
