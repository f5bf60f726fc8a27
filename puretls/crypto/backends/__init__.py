"""The only importers of third-party primitives; each is loaded on first use."""
