"""A farmer, an orchard of 65 mu and its account, made through the verbs."""

from datetime import date
from types import SimpleNamespace

from registry import parcels, people
from registry.db import SYSTEM_ACTOR, perform
from registry.orchards import accounts
from tests.web.conftest import AT, HASH, square
from web.accounts import logins

YEAR = 2025
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def plant(town, *, west=118.60, name="张三果园"):
    """Open an account kept by a farmer of their own; returns its ids."""
    engine, actors = town.engine, town.actors
    tag = f"{name}:{west}"

    def by(desk, verb):
        return {"at": AT, "actor_id": actors.get(desk, SYSTEM_ACTOR), "key": f"{tag}:{verb}"}

    party = perform(
        engine,
        people.add_party,
        people.AddParty(**by("", "party"), kind="household", name="张三", reference=tag),
    ).party_id
    actor = perform(
        engine,
        people.add_actor,
        people.AddActor(**by("", "actor"), name="张三", roles=["farmer"], party_id=party),
    ).actor_id
    login = f"farmer{west}"
    perform(
        engine,
        logins.add_login,
        logins.AddLogin(**by("", "login"), username=login, password_hash=HASH, for_actor_id=actor),
    )
    drawn = perform(
        engine,
        parcels.draw,
        parcels.DrawParcel(
            **by("township", "draw"),
            geojson=square(west),
            kind="orchard",
            division_code="330802101001",
            plot_code=f"GY{west}",
            owner_id=party,
            captured_with="drawing",
            attributes={},
        ),
    )
    perform(
        engine,
        parcels.decide,
        parcels.DecideParcel(
            **by("county", "approve"), parcel_id=drawn.parcel_id, decision="approve"
        ),
    )
    opened = perform(
        engine,
        accounts.open_orchard,
        accounts.OpenOrchard(
            **by("township", "open"),
            operator_id=party,
            adcode="330802",
            name=name,
            crop="huyou",
            valid_from=date(2024, 1, 1),
            plots=[
                accounts.Plot(
                    parcel_id=drawn.parcel_id,
                    planted_area_m2="40000",
                    planting_year=2012,
                    stage="mature",
                )
            ],
        ),
    )
    return SimpleNamespace(
        id=opened.id, login=login, parcel=drawn.parcel_id, path=f"/orchards/{opened.id}"
    )


def line(number, **more):
    """One line of fertiliser with a receipt."""
    return {
        "client_id": f"c{number}",
        "kind": "fertiliser",
        "product": "urea",
        "on_date": f"{YEAR}-03-02",
        "quantity": "500",
        "unit": "kg",
        "n_kg": "230",
        "evidence": "收据 1",
        **more,
    }
