"""The driver: moves batches between a fast path and the splicing engine, on uvloop."""
