"""The defective demo file has a truth table: every defect of a shape is found, nothing else is."""

import json

from geo.intake import examine
from geo.synthetic import make_county, score
from geo.synthetic.defects import Truth

OF_ATTRIBUTES = {"ATTR_AGE_NEGATIVE", "ATTR_SPECIES_UNKNOWN"}


def test_every_planted_defect_is_found_and_nothing_else(tmp_path):
    county = make_county("tiny", out_dir=tmp_path)
    table = json.loads(county.path("truth.json").read_text(encoding="utf-8"))["defects"]
    truth = [
        Truth(**{k: tuple(v) if isinstance(v, list) else v for k, v in t.items()}) for t in table
    ]
    truth = [entry for entry in truth if entry.code not in OF_ATTRIBUTES]
    intake = examine(county.path("parcels_defective.geojson"))
    result = score(truth, [(f.row, f.code, f.severity) for f in intake.findings])
    assert len(truth) > 15
    assert result.missed == ()
    assert result.false_alarms == ()
    assert intake.read == intake.accepted + intake.questioned + intake.refused
