"""What the core is told of the agent before a call."""

from __future__ import annotations

from dataclasses import dataclass

from services.call.words.phone_answers import IsDialable, by_length


@dataclass(frozen=True, slots=True)
class Briefing:
    """In which language callers are understood (BCP 47; of one that is not known only
    silence tells), and how telephone numbers are dialled where the business is (``region``: ISO
    3166)."""

    language: str = "en"
    region: str = "US"
    is_dialable: IsDialable = by_length

    def as_dict(self) -> dict[str, str]:
        """What a replay needs, for JSON."""
        return {"language": self.language, "region": self.region}
