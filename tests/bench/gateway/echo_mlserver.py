"""The echo model as a runtime of MLServer; the bench copies it beside the settings of a model."""

from mlserver import MLModel  # type: ignore[import-not-found]
from mlserver.types import (  # type: ignore[import-not-found]
    InferenceRequest,
    InferenceResponse,
    ResponseOutput,
)


class Echo(MLModel):  # type: ignore[misc]
    """Predicts for each row the first number of its first column."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One output with a number a row, taken from the data as it came."""
        first = payload.inputs[0]
        width = len(first.data) // first.shape[0]
        output = ResponseOutput(
            name="y", shape=[first.shape[0]], datatype="FP64", data=list(first.data)[::width]
        )
        return InferenceResponse(model_name=self.name, outputs=[output])
