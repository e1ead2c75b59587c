"""What has to be known of OpenAI's models by their names."""

from __future__ import annotations

import re


def no_effort(model: str, at_openai: bool) -> str:
    """``none`` for the models that reason and know it; others refuse the field."""
    knows_none = re.match(r"gpt-(5\.[1-9]|[6-9])", model)
    return "none" if at_openai and knows_none else ""
