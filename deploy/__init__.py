"""What it takes to run L7LB somewhere: units, dashboards and the laboratory."""
