"""The components that pages are made of, on one page, for those who make pages."""
