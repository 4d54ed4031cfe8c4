"""Modelyard: custom models on Kubernetes, tested before they serve."""
