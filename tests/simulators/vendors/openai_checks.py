"""What the simulated OpenAI refuses, in the shape of OpenAI's errors: parameters and tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from tests.simulators.vendors import openai_models as models

_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
EFFORTS = {"none", "minimal", "low", "medium", "high", "xhigh", "max"}
TIERS = {"auto", "default", "flex", "scale", "priority", "fast"}


class Refused(Exception):
    """An error of OpenAI: an HTTP status and the fields of its ``error`` object."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": param, "code": code}


STATUS_ERRORS: dict[int, tuple[str, str, str | None]] = {
    400: ("The request is not valid.", "invalid_request_error", None),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    403: ("Country, region, or territory not supported", "invalid_request_error", "forbidden"),
    404: ("The model does not exist.", "invalid_request_error", "model_not_found"),
    429: ("Rate limit reached for requests", "requests", "rate_limit_exceeded"),
    500: ("The server had an error while processing your request.", "server_error", None),
    503: ("The engine is currently overloaded, please try again later.", "server_error", None),
}


def by_status(status: int, code: str = "") -> Refused:
    """The usual error of that status; ``code`` in place of its own (``insufficient_quota``)."""
    message, kind, usual = STATUS_ERRORS.get(status, ("Error", "server_error", None))
    kind = code if code == "insufficient_quota" else kind
    return Refused(message, code=code or usual, status=status, kind=kind)


def check_model(model: Any, among: Collection[str]) -> None:
    """Raises Refused unless ``model`` is one of them."""
    if not isinstance(model, str) or not model:
        raise Refused("you must provide a model parameter")
    if model in among:
        return
    message = f"The model `{model}` does not exist or you do not have access to it."
    if models.was_known(model) and model not in models.living():
        message = f"The model `{model}` has been deprecated and is no longer available."
    raise Refused(message, code="model_not_found", status=404)


Check = Callable[[Any], bool]
"""Whether a value is one that a parameter may have."""


def number(low: float, high: float) -> Check:
    return lambda value: type(value) in {int, float} and low <= value <= high


def integer(low: int = 1) -> Check:
    return lambda value: type(value) is int and value >= low


def one_of(*values: Any) -> Check:
    return lambda value: isinstance(value, str) and value in values


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def mapping(value: Any) -> bool:
    return isinstance(value, dict)


def array(value: Any) -> bool:
    return isinstance(value, list)


COMMON: dict[str, Check] = {
    "model": text,
    "stream": flag,
    "stream_options": mapping,
    "tools": array,
    "tool_choice": lambda value: isinstance(value, str | dict),
    "parallel_tool_calls": flag,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "service_tier": one_of(*TIERS),
    "prompt_cache_key": text,
    "prompt_cache_options": mapping,
    "prompt_cache_retention": one_of("in_memory", "24h"),
    "safety_identifier": text,
    "user": text,
    "store": flag,
    "metadata": mapping,
}
"""The parameters that chat completions and Responses share."""


def check_parameters(body: Any, known: dict[str, Check], never_null: Collection[str]) -> None:
    """Raises Refused for a parameter that is unknown or has a wrong value."""
    if not isinstance(body, dict):
        raise Refused("We could not parse the JSON body of your request.")
    for name, value in body.items():
        if name not in known:
            raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        if value is None and name not in never_null:
            continue
        if not known[name](value):
            raise Refused(f"Invalid value for '{name}'.", param=name, code="invalid_value")
    for name in never_null:
        if name not in body:
            raise Refused(
                f"Missing required parameter: '{name}'.", param=name, code="missing_required"
            )


def check_reasoning(body: dict[str, Any], effort: Any) -> None:
    """Raises Refused for what reasoning models do not take, and for an effort of others."""
    if effort is not None and effort not in EFFORTS:
        raise Refused("Invalid value for reasoning effort.", code="invalid_value")
    if not models.reasons(body["model"]):
        if effort is not None:
            raise _unsupported("reasoning_effort", "with this model")
        return
    if body.get("max_tokens") is not None:
        raise _unsupported("max_tokens", "with this model. Use 'max_completion_tokens' instead")
    if body.get("stop") is not None:
        raise _unsupported("stop", "with this model")
    for name in ("temperature", "top_p"):
        if body.get(name) not in {None, 1} and effort != "none":
            raise _unsupported(name, "with this model and this reasoning effort")


def check_function(function: Any, where: str) -> None:
    """Raises Refused for a function (name, description, parameters, strict) that is not one."""
    if not isinstance(function, dict):
        raise Refused(f"Invalid type for '{where}'.", param=where, code="invalid_type")
    if unknown := set(function) - {"type", "name", "description", "parameters", "strict"}:
        param = f"{where}.{sorted(unknown)[0]}"
        raise Refused(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    name = function.get("name")
    if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
        raise Refused(
            f"Invalid '{where}.name': string does not match pattern.",
            param=f"{where}.name",
            code="invalid_value",
        )
    schema = function.get("parameters")
    if schema is not None and (not isinstance(schema, dict) or schema.get("type") != "object"):
        raise _bad_schema(name, where, "schema must be a JSON Schema of 'type: \"object\"'")
    if function.get("strict") and (wrong := _not_strict(schema or {}, ())):
        raise _bad_schema(name, where, wrong)


def check_choice(body: dict[str, Any], names: Collection[str], chosen: str | None) -> None:
    """Raises Refused for a tool choice that does not fit. ``chosen``: the function it names."""
    choice = body.get("tool_choice")
    for param in ("tool_choice", "parallel_tool_calls"):
        if body.get(param) is not None and not body.get("tools"):
            raise Refused(f"'{param}' is only allowed when 'tools' are specified.", param=param)
    if choice is None or (isinstance(choice, str) and choice in {"none", "auto", "required"}):
        return
    if not isinstance(choice, dict) or chosen not in names:
        raise Refused("Invalid value for 'tool_choice'.", param="tool_choice", code="invalid_value")


def _unsupported(name: str, why: str) -> Refused:
    return Refused(
        f"Unsupported parameter: '{name}' is not supported {why}.",
        param=name,
        code="unsupported_parameter",
    )


def _bad_schema(name: str, where: str, wrong: str) -> Refused:
    return Refused(
        f"Invalid schema for function '{name}': {wrong}.",
        param=f"{where}.parameters",
        code="invalid_function_parameters",
    )


def _not_strict(schema: Any, path: tuple[str, ...]) -> str:
    """Why a schema is not one for strict mode, or nothing."""
    if not isinstance(schema, dict):
        return ""
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return f"In context={path}, 'additionalProperties' is required to be false"
        if set(schema.get("required", [])) != set(properties):
            return f"In context={path}, 'required' must hold every key in properties"
        for name, part in properties.items():
            if wrong := _not_strict(part, (*path, "properties", name)):
                return wrong
    return _not_strict(schema["items"], (*path, "items")) if "items" in schema else ""
