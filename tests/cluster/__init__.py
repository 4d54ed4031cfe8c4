"""Clusters for the tests and the demo: what starts one, fills it with images and takes it away again."""
