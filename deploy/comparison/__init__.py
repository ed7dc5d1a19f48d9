"""The comparison: L7LB beside direct routing, HAProxy, nginx and Envoy, in one laboratory, by the same loads."""
