"""What the plugin answers by itself."""

from kong.plugins.problems import Problem


def not_cached() -> Problem:
    """The client asked for nothing but a kept answer (RFC 9111 §5.2.1.7)."""
    return Problem(
        name="not-cached",
        status=504,
        title="There is no kept answer",
        detail="The request asks for a kept answer alone (only-if-cached), and there is none.",
    )
