"""CustomModelVersion: freezes what a version runs, keeps its children, and says how far it is."""
