"""The web pages, a package for each domain: its handlers, its templates and its words in each language."""
