"""The Open Inference Protocol V2 over HTTP as bytes in and bytes out. Pure: no sockets, no clock, no randomness.

    body, encoding --decoded-->  body --parse_infer--> InferRequest --check_outputs, to_model--> body for the model
    the model's body --to_client--> headers and body for the client (`from_model` where its status was not 200)

Whatever is wrong leaves as `Refused`, with the status to answer and one sentence for `error`.
"""

from modelyard.gateway.protocol.answer import Answer, check_outputs, to_client
from modelyard.gateway.protocol.documents import (
    error,
    live,
    model_metadata,
    model_ready,
    server_metadata,
    server_ready,
)
from modelyard.gateway.protocol.encoding import decoded
from modelyard.gateway.protocol.framing import header_length
from modelyard.gateway.protocol.openapi import openapi
from modelyard.gateway.protocol.predictions import longest_answer
from modelyard.gateway.protocol.refusal import Refused, from_model
from modelyard.gateway.protocol.request import InferRequest, parse_infer, to_model

__all__ = [
    "Answer",
    "InferRequest",
    "Refused",
    "check_outputs",
    "decoded",
    "error",
    "from_model",
    "header_length",
    "live",
    "longest_answer",
    "model_metadata",
    "model_ready",
    "openapi",
    "parse_infer",
    "server_metadata",
    "server_ready",
    "to_client",
    "to_model",
]
