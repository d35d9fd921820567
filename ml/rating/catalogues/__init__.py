"""The price lists that are delivered with the package."""
