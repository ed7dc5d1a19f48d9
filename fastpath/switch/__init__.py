"""What every fast path on a switch needs, because no kernel underneath does it: addresses, ARP, routes, echo."""
