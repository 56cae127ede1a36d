"""Offline sync and backup for PostHog datasets."""
