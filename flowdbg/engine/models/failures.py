"""The one place that maps the SDK's exceptions to errors people can act on."""

from __future__ import annotations

from flowdbg.engine.models.providers import Provider
from flowdbg.errors import ModelError

_LONGEST = 500


class ModelFailed(ModelError):
    """A model call failed; `code` is the step error's code."""

    def __init__(
        self,
        what: str,
        next_step: str,
        *,
        code: str = "MODEL_FAILED",
        retryable: bool = True,
        refuses_schema: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(what, next_step)
        self.code = code
        self.retryable = retryable
        self.refuses_schema = refuses_schema
        """The provider cannot constrain its output to a JSON Schema."""
        self.unreachable = unreachable
        """No connection, or it broke off."""


def explained(error: Exception, provider: Provider, model: str) -> ModelFailed | None:
    """The error in our words; None when it is not one of the SDK or its transport."""
    import openai  # noqa: PLC0415  # loaded already, by the client that raised

    name = provider.name
    if isinstance(error, openai.APITimeoutError):
        return ModelFailed(f"The provider `{name}` did not answer in time.", "Try again.")
    if isinstance(error, openai.APIConnectionError) or _is_transport(error):
        return _unreachable(str(error.__cause__ or error), provider)
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        # What the provider says here may repeat the key.
        return ModelFailed(
            f"The provider `{name}` refuses the key (status {error.status_code}).",
            "Set another key for it.",
            code="MODEL_KEY_REJECTED",
            retryable=False,
        )
    if isinstance(error, openai.NotFoundError):
        return ModelFailed(
            f"The provider `{name}` has no model `{model}`.",
            "Name another model.",
            retryable=False,
        )
    if isinstance(error, openai.RateLimitError):
        return ModelFailed(
            f"The provider `{name}` says that there were too many requests, or no credit is left.",
            "Wait, or look at the account.",
            code="MODEL_RATE_LIMITED",
        )
    if isinstance(error, openai.APIStatusError):
        said = _clean(error.message, provider)
        return ModelFailed(
            f"The provider `{name}` refused the call (status {error.status_code}): {said}.",
            "Correct the block's settings." if error.status_code < 500 else "Try again.",
            retryable=error.status_code >= 500 or error.status_code in (408, 409),
            refuses_schema=error.status_code in (400, 422)
            and ("response_format" in said or "json_schema" in said),
        )
    if isinstance(error, openai.OpenAIError):
        return ModelFailed(f"The provider `{name}` failed: {_clean(str(error), provider)}.", "")
    if isinstance(error, ValueError):
        return ModelFailed(
            f"The provider `{name}` sent an answer that cannot be read.", "Look at its base_url."
        )
    return None


def _is_transport(error: Exception) -> bool:
    # While a stream is read, some versions of the SDK let its transport's own errors through.
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2")


def _unreachable(reason: str, provider: Provider) -> ModelFailed:
    if provider.is_local:
        return ModelFailed(
            "The process of the offline model ended.", "Run the step again.", unreachable=True
        )
    return ModelFailed(
        f"The provider `{provider.name}` cannot be reached: {_clean(reason, provider)}.",
        "Look at its base_url and the network.",
        unreachable=True,
    )


def _clean(text: str, provider: Provider) -> str:
    if provider.api_key:
        text = text.replace(provider.api_key, "***")
    return " ".join(text.split())[:_LONGEST].rstrip(".") or "no reason given"
