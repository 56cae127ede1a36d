"""Backups: copies of the mirror off-site, and proof that they can be used."""
