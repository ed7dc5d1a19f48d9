"""TLS as far as a balancer reads it: the ClientHello, and the alerts that refuse it."""
