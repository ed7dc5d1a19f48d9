"""L7LB between real clients and real servers, in a laboratory."""
