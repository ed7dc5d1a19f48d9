"""The checked program: names resolved, types known, implicit casts made explicit, constants folded."""
