"""The experiment of the L7LB paper: packets in the main namespace with and without the balancer, by transfer size."""
