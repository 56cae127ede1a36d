"""The use cases: pull, plan, push, status; each fetches, asks `core`, and stores."""
