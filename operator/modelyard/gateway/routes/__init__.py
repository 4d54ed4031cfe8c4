"""Where the gateway learns its routes from: a file, or the cluster."""

from modelyard.gateway.routes.board import Board, Routes, Subscriber

__all__ = ["Board", "Routes", "Subscriber"]
