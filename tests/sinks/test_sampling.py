import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import sampling
from sinks.errors import DomainError
from sinks.sampling import Stratum

BOX = (1000.0, 2000.0, 3000.0, 3000.0)
seeds = st.integers(0, 2**64 - 1)


def disc(points):
    return ((points - (2000, 2500)) ** 2).sum(axis=1) <= 400**2


def everywhere(points):
    return np.ones(len(points), bool)


@given(seeds, st.integers(0, 40))
def test_random_points_lie_inside_and_come_again_from_their_seed(seed, plots):
    one = Stratum(number=3, bounds=BOX, plots=plots)
    points = sampling.random_points(one, disc, seed=seed)
    assert points.shape == (plots, 2)
    assert disc(points).all()
    assert np.array_equal(points, sampling.random_points(one, disc, seed=seed))
    more = sampling.random_points(Stratum(number=3, bounds=BOX, plots=plots + 5), disc, seed=seed)
    assert np.array_equal(points, more[:plots])


def test_a_known_seed_gives_known_points_on_every_machine():
    got = sampling.random_points(Stratum(number=1, bounds=BOX, plots=2), everywhere, seed=20260302)
    assert got.round(6).tolist() == [[2866.037758, 2884.259842], [1055.441203, 2029.975479]]


def test_strata_and_seeds_have_streams_of_their_own():
    one, two = (Stratum(number=n, bounds=BOX, plots=9) for n in (1, 2))
    a = sampling.random_points(one, everywhere, seed=1)
    assert not np.array_equal(a, sampling.random_points(two, everywhere, seed=1))
    assert not np.array_equal(a, sampling.random_points(one, everywhere, seed=2))


def test_random_points_cover_the_ground_evenly():
    points = sampling.random_points(Stratum(number=1, bounds=BOX, plots=20_000), everywhere, seed=4)
    counts, *_ = np.histogram2d(points[:, 0], points[:, 1], bins=10)
    # Chi-square of 99 degrees of freedom: 148 is its 99.9 % quantile.
    assert ((counts - 200) ** 2 / 200).sum() < 148


@given(seeds, st.floats(60, 300))
def test_a_grid_is_square_and_its_start_random(seed, spacing):
    one = Stratum(number=1, bounds=BOX, plots=1)
    points = sampling.systematic_points(one, everywhere, seed=seed, spacing_m=spacing)
    for axis in (0, 1):
        steps = np.diff(np.unique(points[:, axis]))
        assert steps == pytest.approx(np.full(steps.size, spacing))
    assert np.array_equal(
        points, sampling.systematic_points(one, everywhere, seed=seed, spacing_m=spacing)
    )


def test_the_spacing_gives_about_the_plots_asked_for():
    spacing = sampling.spacing_for(area_m2=np.pi * 400**2, plots=30)
    one = Stratum(number=1, bounds=BOX, plots=1)
    found = [
        len(sampling.systematic_points(one, disc, seed=s, spacing_m=spacing)) for s in range(50)
    ]
    assert np.mean(found) == pytest.approx(30, abs=1)


def test_what_cannot_be_sampled_is_refused(monkeypatch):
    nowhere = lambda points: np.zeros(len(points), bool)  # noqa: E731
    monkeypatch.setattr(sampling, "MOST_TRIES", 2)
    one = Stratum(number=1, bounds=BOX, plots=1)
    with pytest.raises(DomainError, match="SAMPLE_EMPTY"):
        sampling.random_points(one, nowhere, seed=1)
    with pytest.raises(DomainError, match="SAMPLE_EMPTY"):
        sampling.systematic_points(one, nowhere, seed=1, spacing_m=100)
    with pytest.raises(DomainError, match="SAMPLE_SPACING"):
        sampling.systematic_points(one, disc, seed=1, spacing_m=0)
    with pytest.raises(DomainError, match="SAMPLE_STRATUM"):
        Stratum(number=1, bounds=(0, 0, 0, 1), plots=1)
    with pytest.raises(DomainError, match="SEED_RANGE"):
        sampling.random_points(one, disc, seed=-1)
    with pytest.raises(DomainError, match="SAMPLE_SPACING"):
        sampling.spacing_for(area_m2=5, plots=0)
    with pytest.raises(DomainError, match="AREA_NOT_POSITIVE"):
        sampling.spacing_for(area_m2=0, plots=1)
