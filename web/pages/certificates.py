"""A certificate on one sheet: what was retired, for whom, its seal, and its state now."""

from dataclasses import dataclass

from flask import Blueprint, redirect, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from registry import certificates
from web.auth import public
from web.context import config, reading
from web.formats import tonnes
from web.pages.frame import show
from web.pages.labels import qr_svg

blueprint = Blueprint("certificates", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePage:
    """Context of ``certificates/certificate.html``."""

    number: str
    state: str
    reason: str
    amount: str
    facts: tuple[tuple[str, str], ...]
    serials: tuple[str, ...]
    seal: tuple[tuple[str, str], ...]
    qr: Markup
    address: str


@blueprint.get("/certificates/<number>")
@public
def certificate(number: str) -> str:
    """Show a certificate to anyone, by its number or its retirement's.

    Raises
    ------
    NotFoundError : there is no such number.
    """
    with reading() as session:
        found = certificates.look_up(session, number)
    return show("certificates/certificate.html", _page(found))


@blueprint.get("/c/<number>")
@public
def short(number: str) -> Response:
    """Lead from the QR code's short address to the certificate."""
    return redirect(url_for("certificates.certificate", number=number))


def _page(found: certificates.CertificateView) -> CertificatePage:
    body = found.body
    address = f"{config().public_url}/c/{found.number}"
    return CertificatePage(
        number=found.number,
        state=found.state,
        reason=found.reason,
        amount=tonnes(int(body["kg"])),
        facts=(
            (gettext("受益人"), str(body["beneficiary"])),
            ("持有人 Holder", str(body["holder"])),
            ("注销编号 Retirement", str(body["retirement"])),
            ("注销时间 Retired at", str(body["retired_at"])[:10]),
            (gettext("年份"), "、".join(str(year) for year in body["vintages"])),
            ("项目 Project", str(body["project"])),
            ("方法学 Programme", f"{body['programme']} {body['programme_version']}"),
        ),
        serials=tuple(str(one) for one in body["serials"]),
        seal=(
            (gettext("签名"), gettext("有效") if found.signature_holds else gettext("不符")),
            ("SHA-256", _groups(found.sha256)),
            ("Ed25519", _groups(found.public_key)),
            ("审计链 Audit chain", f"#{body['seal_pos']} {str(body['seal_hash'])[:16]}…"),
        ),
        qr=qr_svg(address),
        address=address,
    )


def _groups(hexadecimal: str) -> str:
    """Return a long number in groups of eight, so that it can be compared and wraps on a phone."""
    return " ".join(hexadecimal[n : n + 8] for n in range(0, len(hexadecimal), 8))
