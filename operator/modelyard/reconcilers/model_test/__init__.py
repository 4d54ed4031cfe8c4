"""ModelTest: one Job against one version, and its verdict."""
