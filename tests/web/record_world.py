"""The tiny demo county with its layers, its rules asked, and a login at every desk of the record."""

from functools import partial
from hashlib import sha256
from types import SimpleNamespace

from sqlalchemy import text

from geo.intake import IntakeOptions, examine
from geo.synthetic import make_county
from registry import eligibility, exclusions, layers, measures, people, programmes
from registry.db import SYSTEM_ACTOR, connect, perform, transaction
from registry.eligibility_inputs import RunEligibility
from tests.web.conftest import AT, HASH
from web.accounts import logins
from web.app import create_app
from web.config import Settings
from web.demo import county, plots
from web.demo.county import ADCODE
from web.demo.teller import Teller

PROGRAMME = "county-inclusion"
STEPS = {"county": county.tell, "plots": plots.tell}
KINDS = ("species", "age", "site", "dem")
DESKS = {
    "township": ("township", "division"),
    "county": ("county", "division"),
    "county2": ("county", "division"),
    "company": ("company", "division"),
    "verifier": ("verifier", "party"),
    "buyer": ("buyer", "party"),
    "auditor": ("auditor", None),
}


def build(pg, clone, folder, state):
    """Tell the places, load the layers, ask one programme's rules, open the desks."""
    from registry import cluster

    engine = connect(cluster.database_url(pg, clone(), "tanhui_app"))
    make_county("tiny", out_dir=folder)
    teller = Teller(engine=engine, folder=folder, state=state)
    teller.tell(STEPS)
    base = {"at": AT, "actor_id": SYSTEM_ACTOR}
    source = programmes.packaged()[PROGRAMME]
    adopt = programmes.AdoptProgramme(**base, key="adopt", source=source)
    perform(engine, programmes.adopt, adopt)
    for kind in KINDS:
        taken = layers.take_file(folder / f"{kind}.tif", kind=kind, folder=state / "layers")
        register = layers.RegisterLayer(
            **base,
            key=f"layer:{kind}",
            file=taken,
            kind=kind,
            year=2024,
            source="演示县合成图层",
            licence="CC0-1.0",
        )
        perform(engine, layers.register_layer, register)
    for kind in ("wetland", "basic_farmland"):
        path = folder / f"{kind}.geojson"
        load = exclusions.LoadExclusion(
            **base,
            key=f"exclude:{kind}",
            kind=kind,
            file_name=path.name,
            file_sha256=sha256(path.read_bytes()).hexdigest(),
        )
        intake = examine(path, options=IntakeOptions(check_overlap=False))
        perform(engine, partial(exclusions.load, intake=intake), load)
    found = measures.open_layers(dem=folder / "dem.tif", species=folder / "species.tif")
    with transaction(engine) as session:
        eligibility.run_eligibility(
            session,
            RunEligibility(
                **base,
                key="eligibility",
                programme_id=PROGRAMME,
                division_code=ADCODE,
                crediting=(2025, 2044),
                start_year=2025,
                layers=found.digests,
            ),
            found.measure,
        )
    parties = {name: _party(engine, kind) for name, kind in (
        ("company", "company"), ("verifier", "verifier"), ("buyer", "enterprise"))}  # fmt: skip
    actors = {desk: _desk(engine, desk, parties) for desk in DESKS}
    with transaction(engine) as session:
        ground = list(session.scalars(_ELIGIBLE))
    app = create_app(config=Settings(state_dir=state), engine=engine)
    return SimpleNamespace(
        app=app, engine=engine, state=state, actors=actors, parties=parties, ground=ground
    )


def _party(engine, kind):
    command = people.AddParty(
        at=AT, actor_id=SYSTEM_ACTOR, key=f"p:{kind}", kind=kind, name=f"示例{kind}",
        division_code=f"{ADCODE}000000" if kind == "company" else None,
    )  # fmt: skip
    return perform(engine, people.add_party, command).party_id


def _desk(engine, desk, parties):
    role, stands = DESKS[desk]
    more = {"party_id": parties.get(desk)}
    if stands == "division":
        more["division_code"] = f"{ADCODE}000000"
    base = {"at": AT, "actor_id": SYSTEM_ACTOR}
    made = perform(
        engine,
        people.add_actor,
        people.AddActor(**base, key=f"a:{desk}", name=f"{desk} 人", roles=[role], **more),
    )
    login = logins.AddLogin(
        **base, key=f"l:{desk}", username=desk, password_hash=HASH, for_actor_id=made.actor_id
    )
    perform(engine, logins.add_login, login)
    return made.actor_id


_ELIGIBLE = text(
    "SELECT p.id::text FROM parcel p JOIN eligibility e ON e.parcel_id = p.id"
    " AND e.version = p.version WHERE p.status = 'approved' AND e.answer = 'eligible' ORDER BY p.id"
)
