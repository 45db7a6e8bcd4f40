"""How every HTTP server of the project reads HTTP/1.1: where a message ends has one reading, at every hop."""
