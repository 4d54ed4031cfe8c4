"""The echo model as a server of KServe's, run in its own environment: `python echo_kserve.py --http_port 8080`."""

from kserve import (  # type: ignore[import-not-found]
    InferOutput,
    InferRequest,
    InferResponse,
    Model,
    ModelServer,
)


class Echo(Model):  # type: ignore[misc]
    """Predicts for each row the first number of its first column."""

    def __init__(self) -> None:
        super().__init__("echo")
        self.ready = True

    def predict(self, payload: InferRequest, headers: object = None, **_others: object) -> InferResponse:
        """One output with a number a row, taken from the data as it came."""
        first = payload.inputs[0]
        rows = first.shape[0]
        values = first.as_numpy().reshape(rows, -1)[:, 0].tolist()
        output = InferOutput(name="y", shape=[rows], datatype="FP64", data=values)
        return InferResponse(response_id=payload.id or "none", model_name=self.name, infer_outputs=[output])


if __name__ == "__main__":
    ModelServer().start([Echo()])
