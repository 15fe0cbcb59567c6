"""What forms offer: divisions, owners and programmes within an actor's reach."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.people import ActorView
from registry.reads.scope import scope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value and its words."""

    value: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChoices:
    """What the forms about places offer."""

    divisions: list[Choice]
    owners: list[Choice]
    programmes: list[Choice]


def place_choices(session: Session, who: ActorView) -> PlaceChoices:
    """Return the actor's division with what lies directly below, its owners, all programmes."""
    bound = {"code": who.division_code, "prefix": scope_of(who).params()["prefix"]}
    found: dict[str, list[Choice]] = {"division": [], "owner": [], "programme": []}
    for row in session.execute(_CHOICES, bound):
        found[row.what].append(Choice(value=row.value, zh=row.zh, en=row.en))
    return PlaceChoices(
        divisions=found["division"], owners=found["owner"], programmes=found["programme"]
    )


_CHOICES = text(
    """
    SELECT 'division' AS what, code AS value, name AS zh, name AS en, code AS place FROM division
     WHERE code = cast(:code AS text) OR parent_code = cast(:code AS text)
    UNION ALL
    SELECT 'owner', id::text, name, name, name FROM party
     WHERE kind IN ('collective', 'cooperative', 'state_farm', 'household')
       AND division_code LIKE cast(:prefix AS text)
    UNION ALL
    (SELECT DISTINCT ON (id) 'programme', id, name_zh, name_en, id FROM programme
      ORDER BY id, effective_at DESC)
    ORDER BY what, place LIMIT 1000
    """
)
