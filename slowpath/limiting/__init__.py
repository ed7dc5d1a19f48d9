"""Limits on what clients may ask for: rates and concurrency, by client prefix or in total."""
