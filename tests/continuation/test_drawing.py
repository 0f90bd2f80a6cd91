"""Draws: seeds of their own, and what a temperature does to a distribution."""

import numpy as np
import pytest
import torch

from nextvec.continuation.drawing import SAMPLES, choose, sample, seed_of, tempered
from nextvec.models.forecast import Forecast
from nextvec.models.predictor import unit

DIM, SPREAD, MANY = 400, 0.08, 500


def gaussian(spread=SPREAD):
    """y = unit(mu + e) around the first axis, and how many samples were asked for at once."""
    mean_D, asked = torch.zeros(DIM), []
    mean_D[0] = 1

    def sampler(n, generator):
        asked.append(n)
        return unit(mean_D + spread * torch.randn((n, 1, 1, DIM), generator=generator))

    return Forecast(lambda: mean_D[None, None], None, sampler), asked


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def cosines(temperature, spread=SPREAD):
    forecast, _ = gaussian(spread)
    return torch.stack([sample(forecast, temperature, seeded(seed))[0] for seed in range(MANY)])


class TestTemperature:
    @pytest.mark.parametrize("temperature", [0.25, 0.5, 1.0, 1.5, 2.0])
    def test_a_projected_gaussian_has_its_noise_scaled(self, temperature):
        """unit(mu + e) at T is unit(mu + T e): the same cosines with the mean, on average and in their spread."""
        got, expected = cosines(temperature), cosines(1, SPREAD * temperature)
        assert float(got.mean()) == pytest.approx(float(expected.mean()), abs=0.01)
        assert float(got.std()) == pytest.approx(float(expected.std()), abs=0.02)

    def test_at_one_it_is_the_sample_itself_and_no_other_is_drawn(self):
        forecast, asked = gaussian()
        drawn = sample(forecast, 1.0, seeded(5))
        torch.testing.assert_close(drawn, forecast.sample(1, seeded(5))[0, 0, 0])
        assert asked == [1, 1]
        sample(forecast, 0.5, seeded(5))
        assert asked[-1] == SAMPLES

    def test_towards_zero_it_is_the_point(self):
        forecast, _ = gaussian()
        torch.testing.assert_close(sample(forecast, 1e-6, seeded(1)), forecast.point[0, 0], atol=1e-4, rtol=0)

    def test_samples_that_lean_nowhere_are_not_turned_round(self):
        """Their mean may lie against the point by chance; a draw does not end up there."""
        point_D, sample_D = torch.tensor([1.0, 0.0]), unit(torch.tensor([-0.2, 1.0]))
        torch.testing.assert_close(tempered(sample_D[None], point_D, 0.1), sample_D)


class TestChoice:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
    def test_as_often_as_the_softmax_says(self, temperature):
        scores_N = torch.tensor([0.0, 1.0, 2.0])
        chosen = np.bincount([choose(scores_N, temperature, seeded(seed)) for seed in range(4000)], minlength=3)
        expected = torch.softmax(scores_N / temperature, 0).numpy()
        np.testing.assert_allclose(chosen / 4000, expected, atol=0.03)

    def test_no_temperature_is_too_low(self):
        assert choose(torch.tensor([0.0, 2.0, 1.0]), 5e-324, seeded(1)) == 1


class TestSeeds:
    def test_every_sentence_of_every_continuation_has_its_own(self):
        seeds = {seed_of(seed, choice, number) for seed in (0, 1, -1) for choice in range(4) for number in range(1, 5)}
        assert len(seeds) == 3 * 4 * 4
        assert all(0 <= seed < 2**63 for seed in seeds)

    def test_it_is_the_same_each_time(self):
        assert seed_of(7, 2, 3) == seed_of(7, 2, 3)
