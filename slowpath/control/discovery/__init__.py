"""Where the servers of pools come from: the configuration, names, and files; and how they change."""
