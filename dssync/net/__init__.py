"""HTTP: one small interface, and what wraps it. httpx is known here only."""
