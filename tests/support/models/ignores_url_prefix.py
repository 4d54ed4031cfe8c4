"""Serves at the root, whatever URL_PREFIX says."""

from __future__ import annotations

from model_server import Model, serve


class AtTheRoot(Model):
    prefix = ""


serve(AtTheRoot)
