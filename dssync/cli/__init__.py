"""The command line: one short file per command; what people see is drawn in `render`."""
