"""What rasters by date show of each parcel; disturbances proposed by a raster, decided by staff."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from migrations.access import follows, me, record_table, secure, state_table, under, unsecure

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OLD_KINDS = "species, age, site, disturbance, dem, land_class, canopy, ndvi"
EVENT_KINDS = "'harvest', 'clearing', 'fire', 'snow', 'pest', 'wind', 'landslide'"
KEPT = follows("parcel", f"u.id = parcel_id AND {under('u.division_code')}")
STAFF = (
    "EXISTS (SELECT FROM disturbance_parcel x JOIN parcel u ON u.id = x.parcel_id"
    f" WHERE x.disturbance_id = {{}} AND {under('u.division_code')})"
)


def _recorded(*, effective: bool = False):
    counts = sa.Column(
        "effective_at",
        sa.DateTime(timezone=True),
        nullable=False,
        comment="When it counts; given by the command",
    )
    written = sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
        comment="When it was written; given by the database",
    )
    return (counts, written) if effective else (written,)


def _of_parcel(name, *columns):
    """A table of what a layer shows of parcel versions."""
    op.create_table(
        name,
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("layer_id", sa.Uuid(), nullable=False),
        *columns,
        *_recorded(),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        sa.ForeignKeyConstraint(["layer_id"], ["layer.id"]),
        sa.PrimaryKeyConstraint("parcel_id", "version", "layer_id", "input_digest"),
    )
    record_table(name)
    secure(name, see=follows("parcel", "u.id = parcel_id"), add=KEPT)


def upgrade() -> None:
    op.add_column(
        "layer",
        sa.Column(
            "observed_on",
            sa.Date(),
            nullable=True,
            comment="The day of the image, where it is of one day",
        ),
    )
    op.add_column(
        "layer",
        sa.Column(
            "scale",
            sa.Float(),
            server_default="1",
            nullable=False,
            comment="A cell's number times this is the value",
        ),
    )
    op.alter_column("layer", "kind", comment=f"{OLD_KINDS}, loss", existing_comment=OLD_KINDS)
    _of_parcel(
        "parcel_value",
        sa.Column(
            "input_digest",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="Of boundary, layer, band, nodata, scale and method",
        ),
        sa.Column("mean", sa.Float(), nullable=True),
        sa.Column("minimum", sa.Float(), nullable=True, comment="Of all cells touched"),
        sa.Column("maximum", sa.Float(), nullable=True),
        sa.Column(
            "known_share", sa.Float(), nullable=False, comment="Share of the parcel on known cells"
        ),
        sa.CheckConstraint("known_share BETWEEN 0 AND 1", name="share_is_one"),
        sa.CheckConstraint("(mean IS NULL) = (known_share = 0)", name="known_has_mean"),
    )
    _of_parcel(
        "parcel_loss",
        sa.Column("input_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("years", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("area_dm2", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("nodata_dm2", sa.BigInteger(), nullable=False),
        sa.Column("outside_dm2", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cardinality(years) = cardinality(area_dm2)", name="arrays_match"),
    )
    _disturbances()
    _decisions()


def _disturbances() -> None:
    op.create_table(
        "disturbance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("layer_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False, comment="Of loss, by the raster"),
        sa.Column("status", sa.Text(), server_default="candidate", nullable=False),
        sa.Column(
            "geometry",
            Geometry(geometry_type="MULTIPOLYGON", srid=4490, spatial_index=False, nullable=False),
            nullable=False,
        ),
        sa.Column(
            "area_m2", sa.Float(), nullable=False, comment="Of parcels, on the ellipsoid"
        ),
        sa.Column(
            "patch_m2",
            sa.Float(),
            nullable=False,
            comment="Of the whole patch, also beyond parcels",
        ),
        sa.Column(
            "unit_m2",
            sa.Float(),
            nullable=False,
            comment="Minimum mapping unit it was found with",
        ),
        sa.Column(
            "ground_digest",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="Of the geometry's bytes",
        ),
        *_recorded(effective=True),
        sa.CheckConstraint(
            "status IN ('candidate', 'confirmed', 'dismissed')", name="status_known"
        ),
        sa.CheckConstraint(
            "area_m2 > 0 AND patch_m2 >= unit_m2 AND unit_m2 >= 0", name="areas"
        ),
        sa.ForeignKeyConstraint(["layer_id"], ["layer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("year", "ground_digest"),
    )
    op.create_index(
        "ix_disturbance_geometry", "disturbance", ["geometry"], postgresql_using="gist"
    )
    op.create_index("ix_disturbance_status", "disturbance", ["status"])
    op.create_table(
        "disturbance_parcel",
        sa.Column("disturbance_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area_m2", sa.Float(), nullable=False),
        sa.CheckConstraint("area_m2 > 0", name="area_positive"),
        sa.ForeignKeyConstraint(["disturbance_id"], ["disturbance.id"]),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"], ["parcel_version.parcel_id", "parcel_version.version"]
        ),
        sa.PrimaryKeyConstraint("disturbance_id", "parcel_id"),
    )
    op.create_index("ix_disturbance_parcel_parcel_id", "disturbance_parcel", ["parcel_id"])
    record_table("disturbance_parcel")
    secure("disturbance_parcel", see=follows("parcel", "u.id = parcel_id"), add=KEPT)
    state_table("disturbance", update="status")
    secure(
        "disturbance",
        see=follows("disturbance_parcel", "u.disturbance_id = disturbance.id"),
        # Its parcels are written after it; that they are the actor's is their own policy.
        add="(SELECT acts_under()) IS NOT NULL",
        change=STAFF.format("disturbance.id"),
    )


def _decisions() -> None:
    op.create_table(
        "disturbance_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("disturbance_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column(
            "share_ppm",
            sa.Integer(),
            nullable=True,
            comment="Of the stand on its ground, in millionths",
        ),
        sa.Column(
            "year", sa.Integer(), nullable=True, comment="Of the event, as staff found it"
        ),
        sa.Column("occurred_on", sa.Date(), nullable=True, comment="The day, where it is known"),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column(
            "job_ids", postgresql.ARRAY(sa.Uuid()), nullable=False, comment="Runs asked for again"
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        *_recorded(effective=True),
        sa.CheckConstraint("decision IN ('confirm', 'dismiss')", name="decision_known"),
        sa.CheckConstraint("length(reason) > 0", name="says_why"),
        sa.CheckConstraint(f"kind IN ({EVENT_KINDS})", name="kind_known"),
        sa.CheckConstraint("share_ppm BETWEEN 1 AND 1000000", name="share_is_one"),
        sa.CheckConstraint(
            "(decision = 'confirm') = (kind IS NOT NULL AND share_ppm IS NOT NULL"
            " AND year IS NOT NULL)",
            name="confirmed_says_what",
        ),
        sa.ForeignKeyConstraint(["disturbance_id"], ["disturbance.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("disturbance_id"),
    )
    record_table("disturbance_decision")
    secure(
        "disturbance_decision",
        see=follows("disturbance", "u.id = disturbance_id"),
        add=f"{me('actor_id')} AND {STAFF.format('disturbance_decision.disturbance_id')}",
    )


def downgrade() -> None:
    for name in (
        "disturbance_decision",
        "disturbance",
        "disturbance_parcel",
        "parcel_loss",
        "parcel_value",
    ):
        unsecure(name)
    for name in (
        "disturbance_decision",
        "disturbance_parcel",
        "disturbance",
        "parcel_loss",
        "parcel_value",
    ):
        op.drop_table(name)
    op.alter_column("layer", "kind", comment=OLD_KINDS, existing_comment=f"{OLD_KINDS}, loss")
    op.drop_column("layer", "scale")
    op.drop_column("layer", "observed_on")
