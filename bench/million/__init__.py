"""What a million spliced connections cost: in a fast path, in the bookkeeping of a switch, and to their traffic."""
