"""What forms offer: divisions, owners and programmes within an actor's reach."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from registry.people import ActorView
from registry.reads.places import BEIJING
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
    bound = {
        "code": who.division_code,
        "prefix": scope_of(who).params()["prefix"],
        "year": datetime.now(BEIJING).year,
    }
    found: dict[str, list[Choice]] = {"division": [], "owner": [], "programme": []}
    for row in session.execute(_CHOICES, bound):
        found[row.what].append(Choice(value=row.value, zh=row.zh, en=row.en))
    return PlaceChoices(
        divisions=found["division"], owners=found["owner"], programmes=found["programme"]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChoices:
    """What the form of a new project offers; a county's value has 6 digits."""

    counties: list[Choice]
    proponents: list[Choice]


def project_choices(session: Session, who: ActorView) -> ProjectChoices:
    """Return the counties an actor answers for, and who may undertake a project there.

    Staff may enter a project for any organisation of their ground, others for their own party.
    """
    bound = scope_of(who).params()
    found: dict[str, list[Choice]] = {"county": [], "proponent": []}
    for row in session.execute(_PROJECT_CHOICES, bound):
        found[row.what].append(Choice(value=row.value, zh=row.zh, en=row.en))
    return ProjectChoices(counties=found["county"], proponents=found["proponent"])


_CHOICES = text(
    """
    SELECT 'division' AS what, code AS value, name AS zh, name AS en, code AS place FROM division
     WHERE (code = cast(:code AS text) OR parent_code = cast(:code AS text))
       AND (valid_to_year IS NULL OR valid_to_year >= :year)
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
_PROJECT_CHOICES = text(
    """
    SELECT 'county' AS what, left(d.code, 6) AS value, d.name AS zh, d.name AS en, d.code AS place
      FROM division d WHERE d.level = 'county'
       AND (cast(:everything AS boolean) OR d.code LIKE cast(:prefix AS text)
            OR cast(:prefix AS text) LIKE left(d.code, 6) || '%'
            OR (cast(:prefix AS text) IS NULL AND left(d.code, 6) = (
                SELECT left(division_code, 6) FROM party WHERE id = cast(:party AS uuid))))
    UNION ALL
    SELECT 'proponent', o.id::text, o.name, o.name, coalesce(o.division_code, '') FROM party o
     WHERE o.id = cast(:party AS uuid)
        OR (o.kind IN ('collective', 'cooperative', 'state_farm', 'company', 'enterprise')
            AND (cast(:everything AS boolean) OR o.division_code LIKE cast(:prefix AS text)))
    ORDER BY what, place LIMIT 1000
    """
)
