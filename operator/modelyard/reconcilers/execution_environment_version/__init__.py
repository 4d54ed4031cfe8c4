"""ExecutionEnvironmentVersion: a tag resolved to a digest once, and kept."""
