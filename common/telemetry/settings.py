"""The variables of tracing, for the settings of every process that records spans."""

from typing import Annotated

from msgspec import Meta

from common.settings import Env

OtlpEndpoint = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s?#@]+)?\Z",
        description="Base URL of an OpenTelemetry collector (OTLP over HTTP); without one nothing is traced.",
    ),
    Env("OTEL_EXPORTER_OTLP_ENDPOINT"),
]
SampleRatio = Annotated[
    float,
    Meta(
        ge=0,
        le=1,
        description="Part of the traces begun here that is exported; of the rest what failed or was slow.",
    ),
    Env("OTEL_TRACES_SAMPLER_ARG"),
]
DEFAULT_RATIO = 0.1
