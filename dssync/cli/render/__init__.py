"""What people and programs see: one file per value shown; the only place that prints."""
