"""The AWS API on a port."""
