"""The pages, served as they are."""
