"""ExecutionEnvironment: makes a new version of itself when what runs changes, and shows the newest."""
