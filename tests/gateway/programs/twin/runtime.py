"""The twin as MLServer runs models: inputs and outputs by MLServer's own codecs."""

from __future__ import annotations

from typing import Any

import numpy  # type: ignore[import-not-found]
from mlserver import MLModel  # type: ignore[import-not-found]
from mlserver.codecs import NumpyCodec, StringCodec  # type: ignore[import-not-found]
from mlserver.types import InferenceResponse  # type: ignore[import-not-found]
from model import predict  # type: ignore[import-not-found]


class Twin(MLModel):  # type: ignore[misc]
    async def load(self) -> bool:
        return True

    async def predict(self, payload: Any) -> Any:
        columns = {one.name: values(one) for one in payload.inputs}
        scores = NumpyCodec.encode_output("score", numpy.array(predict(columns)))
        return InferenceResponse(
            model_name=self.name, model_version=self.version, id=payload.id, outputs=[scores]
        )


def values(given: Any) -> list[Any]:
    """One entry a row."""
    if given.datatype == "BYTES":
        return list(StringCodec.decode_input(given))
    array = NumpyCodec.decode_input(given)
    return list((array.ravel() if array.shape[1:] == (1,) else array).tolist())
