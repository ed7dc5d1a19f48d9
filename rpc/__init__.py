"""What the clients of switches share, whatever their protocol: connections that come back, values, names, errors.

`bfrt` and `p4rt` build on it; it knows no message of theirs.
"""
