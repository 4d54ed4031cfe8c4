"""Pure builders of the objects that we apply: one file a kind, manifests in and out."""
