"""What a request is for, by its path."""

from __future__ import annotations

import pytest

from modelyard.gateway.paths import Endpoint, Place, place_of

PLACES = {
    b"/v2": Place(Endpoint.SERVER),
    b"/v2/": Place(Endpoint.SERVER),
    b"/v2?a=b": Place(Endpoint.SERVER),
    b"/team/v2": Place(Endpoint.SERVER, "team"),
    b"/v2/health/live": Place(Endpoint.LIVE),
    b"/team/v2/health/ready": Place(Endpoint.READY, "team"),
    b"/v2/openapi.json": Place(Endpoint.OPENAPI),
    b"/v2/models/flats": Place(Endpoint.MODEL, None, "flats"),
    b"/v2/models/flats/ready": Place(Endpoint.MODEL_READY, None, "flats"),
    b"/v2/models/flats/infer": Place(Endpoint.INFER, None, "flats"),
    b"/v2/models/flats/infer?a=b#c": Place(Endpoint.INFER, None, "flats"),
    b"/v2/models/flats/versions/1.0": Place(Endpoint.MODEL, None, "flats", "1.0"),
    b"/v2/models/flats/versions/1.0/ready": Place(Endpoint.MODEL_READY, None, "flats", "1.0"),
    b"/team/v2/models/flats/versions/1.0/infer": Place(Endpoint.INFER, "team", "flats", "1.0"),
    b"/v2/models/a%2Fb%20c/infer": Place(Endpoint.INFER, None, "a/b c"),
    b"/v2/models/%C3%A4/versions/%31/infer": Place(Endpoint.INFER, None, "ä", "1"),
    b"/v2/models/versions/infer": Place(Endpoint.INFER, None, "versions"),
    b"/v2/models/ready": Place(Endpoint.MODEL, None, "ready"),
    b"/v2/v2": Place(Endpoint.SERVER, "v2"),
    b"/v2/v2/health/live": Place(Endpoint.LIVE, "v2"),
    b"/v2/v2/models/flats/infer": Place(Endpoint.INFER, "v2", "flats"),
    b"/v2/v2/v2": None,
    b"http://gateway:80/v2/models/flats": Place(Endpoint.MODEL, None, "flats"),
    b"HTTP://gateway/team/v2": Place(Endpoint.SERVER, "team"),
    b"/": None,
    b"": None,
    b"*": None,
    b"gateway:80": None,
    b"http://gateway": None,
    b"/v1/models/flats": None,
    b"/v2x": None,
    b"//v2": None,
    b"/v2//models/flats": None,
    b"/v2/models": None,
    b"/v2/models/": None,
    b"/v2/models//infer": None,
    b"/v2/models/flats/": Place(Endpoint.MODEL, None, "flats"),
    b"/v2/models/flats/versions": None,
    b"/v2/models/flats/versions//infer": None,
    b"/v2/models/flats/explain": None,
    b"/v2/models/flats/infer/more": None,
    b"/v2/models/flats/versions/1/versions/2": None,
    b"/v2/models/%FF/infer": None,
    b"/v2/health": None,
    b"/v2/../v2/health/live": None,
    b"/a/b/v2/models/flats": None,
}


@pytest.mark.parametrize("target", PLACES, ids=lambda target: target.decode())
def test_a_path_names_a_place_or_none(target: bytes) -> None:
    assert place_of(target) == PLACES[target]
