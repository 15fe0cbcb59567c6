"""What the public look-up knows: serials, certificates, labels.  No plot and no person."""

from uuid import UUID

from flask import url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from registry import certificates
from registry.errors import NotFoundError
from registry.orchards import labels
from registry.reads import orchards, units
from registry.unit_errors import SerialInvalidError
from web.formats import tonnes
from web.orchard_words import crop
from web.pages.public import LOOKUPS, Hit


def serial_hit(session: Session, words: str) -> Hit | None:
    """Return what became of a range of serials."""
    try:
        found = certificates.serial_state(session, words)
    except (SerialInvalidError, NotFoundError):
        return None
    parts = tuple((f"{part['first']}–{part['last']}", str(part["status"])) for part in found.parts)
    states = {str(part["status"]) for part in found.parts}
    facts = (
        (gettext("项目"), found.project),
        (gettext("方法学"), found.programme),
        (gettext("年份"), str(found.vintage)),
        *parts,
    )
    state = states.pop() if len(states) == 1 else "issued"
    return Hit(
        title=found.serial,
        state=state,
        facts=facts,
        url=url_for("units.serial", serial=found.serial),
    )


def batch_hit(session: Session, words: str) -> Hit | None:
    """Return a batch by the head of its serials."""
    try:
        found = units.batch(session, None, units.BatchQuery(prefix=words))
    except (SerialInvalidError, NotFoundError):
        return None
    facts = (
        (gettext("项目"), found.project),
        (gettext("年份"), str(found.vintage)),
        (gettext("数量（吨二氧化碳当量）"), tonnes(found.size_kg)),
    )
    return Hit(
        title=found.prefix,
        state="issued",
        facts=facts,
        url=url_for("units.batch", prefix=found.prefix),
    )


def certificate_hit(session: Session, words: str) -> Hit | None:
    """Return a certificate with its state now."""
    try:
        found = certificates.look_up(session, words)
    except NotFoundError:
        return None
    kg = found.body.get("kg")
    facts = (
        (gettext("数量（吨二氧化碳当量）"), tonnes(kg) if isinstance(kg, int) else "—"),
        (gettext("受益人"), str(found.body.get("beneficiary", "—"))),
        (
            gettext("签名"),
            gettext("有效") if found.signature_holds else gettext("不符"),
        ),
        ("SHA-256", found.sha256),
    )
    return Hit(
        title=found.number,
        state=found.state,
        facts=facts,
        url=url_for("certificates.certificate", number=found.number),
    )


def label_hit(session: Session, words: str) -> Hit | None:
    """Return an orchard's label."""
    try:
        found = labels.public_label(session, words)
    except NotFoundError:
        return None
    facts = (
        (gettext("年份"), str(found.year)),
        (gettext("作物"), crop(found.crop)),
        (gettext("所在"), found.place),
        (gettext("经营者"), found.operator or gettext("不公开")),
        (gettext("有效期"), f"{found.valid_from} – {found.valid_to}"),
    )
    return Hit(
        title=found.number,
        state="superseded" if found.replaced_by else "valid",
        facts=facts,
        label=found.grade or found.state,
        url=url_for("labels.label", number=found.number),
    )


def orchard_hit(session: Session, words: str) -> Hit | None:
    """Return an orchard account's public facts."""
    try:
        query = orchards.OrchardById(orchard_id=UUID(words))
        found = orchards.public_orchard(session, None, query)
    except (ValueError, NotFoundError):
        return None
    facts = (
        (gettext("作物"), crop(found.crop)),
        (gettext("所在"), found.place),
        (gettext("经营者"), found.operator or gettext("不公开")),
    )
    return Hit(
        title=str(found.id),
        state="active",
        facts=facts,
        label=found.labels[0].grade or found.labels[0].state if found.labels else None,
        url=url_for("orchards.public_page", orchard_id=found.id),
    )


LOOKUPS.extend((serial_hit, batch_hit, certificate_hit, label_hit, orchard_hit))
