"""What the operator would apply for documents, without a cluster: its own passes over a world on paper."""
