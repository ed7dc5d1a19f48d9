"""TCP in user space, without I/O: SYN cookies, connections, retransmission."""
