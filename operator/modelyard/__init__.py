"""Modelyard: custom models on Kubernetes, tested before they serve."""

__version__ = "0.1.0"
"""Of this release. The package's metadata take it from here; the chart's appVersion says the same."""
