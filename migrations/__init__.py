"""The mirror's schema, revision by revision."""
