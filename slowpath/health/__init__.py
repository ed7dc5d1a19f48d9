"""Active health checks, which also learn the servers' TCP options."""
