"""HTTP/1.x as far as a balancer reads it: request heads, and its own answers."""
