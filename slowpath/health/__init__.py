"""Health checks of servers: active ones, which also learn the servers' TCP options, and passive ones."""
