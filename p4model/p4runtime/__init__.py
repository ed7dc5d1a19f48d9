"""The P4Runtime service of a switch: what simple_switch_grpc offers, as far as a client can tell.

It follows version 1.5 of the specification. Where that leaves a choice, and where simple_switch_grpc refuses what the
specification allows, it does as simple_switch_grpc does, so that a client that works here works there:

- Batches are CONTINUE_ON_ERROR only, and each Read has one answer.
- The live controller with the highest election id is the primary: the next one is promoted when it leaves.
- A MODIFY names an action, counters are written one by one, and the default entry has no counter.
- An entry tells at most its idle time-out as the time since its last packet, and 0 without one.
- A device may have the id 0, and every role may do everything.
- There are no registers, meters, action profiles, groups, value sets, or packets to and from controllers.
"""

from p4model.p4runtime.server import Server, serve

__all__ = ["Server", "serve"]
