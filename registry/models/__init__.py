"""Tables of the record; private to registry: others see verbs and frozen values."""

from registry.models.events import Event, EventSeal, Idempotency
from registry.models.people import Actor, Division, Party

__all__ = ["Actor", "Division", "Event", "EventSeal", "Idempotency", "Party"]
