"""CKA from batches, against the U-statistic that its estimate of HSIC is, and against the formula for all images."""

from itertools import permutations

import pytest
import torch
from torch import Tensor

from vggexp.backbone.vgg import VGG
from vggexp.deploy.compare.cka import CKA, gram, hsic1, stage_cka


def by_quadruples(one: Tensor, other: Tensor) -> float:
    """HSIC as the mean over all ordered quadruples of different images of K_ij (L_ij + L_qr - 2 L_iq)."""
    terms = [
        one[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q])
        for i, j, q, r in permutations(range(len(one)), 4)
    ]  # fmt: skip
    return float(torch.stack(terms).mean())


def features(seed: int, count: int, *shape: int) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_hsic_1_is_the_mean_over_quadruples() -> None:
    one, other = (gram(features(seed, 6, 3)) for seed in (0, 1))
    assert float(hsic1(one, other)) == pytest.approx(by_quadruples(one, other))


def test_hsic_1_does_not_change_with_the_features_mean() -> None:
    rows, other = features(0, 6, 3), gram(features(1, 6, 2))
    assert float(hsic1((rows + 5) @ (rows + 5).T, other)) == pytest.approx(float(hsic1(gram(rows), other)))


def test_cka_of_many_images_in_batches_is_that_of_all_at_once() -> None:
    """The biased formula for all images, tr(KHLH) / sqrt(tr(KHKH) tr(LHLH)), agrees for many images of few features."""
    one = features(0, 2000, 4)
    other = one @ features(1, 4, 4) + features(2, 2000, 4)
    a, b = ((rows - rows.mean(0)) for rows in (one, other))
    whole = (a.T @ b).square().sum() / ((a.T @ a).norm() * (b.T @ b).norm())
    found = CKA((1, 1))
    for some, others in zip(one.split(50), other.split(50), strict=True):
        found.update([some], [others])
    assert float(found.compute()[0, 0]) == pytest.approx(float(whole), abs=0.02)
    assert found.images == 2000


def test_cka_ignores_rotation_and_scale_and_tells_unrelated_features() -> None:
    one = features(0, 400, 5)
    turned = 3 * one @ torch.linalg.qr(features(1, 5, 5))[0]
    found = CKA((1, 2))
    found.update([one], [turned, features(2, 400, 5)])
    same, unrelated = found.compute()[0].tolist()
    assert same == pytest.approx(1)
    assert abs(unrelated) < 0.05


def test_a_network_equals_itself_stage_by_stage_and_reads_as_many_images_as_asked() -> None:
    torch.manual_seed(0)
    one, other = (VGG("A", width=0.05, batch_norm=True) for _ in range(2))
    batches = [{"image": torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)} for _ in range(3)]
    found = stage_cka((one, one), batches, images=8)  # type: ignore[arg-type]
    assert found.images == 8
    torch.testing.assert_close(found.compute().diagonal(), torch.ones(5, dtype=torch.float64))
    crossed = stage_cka((one, other), batches, images=12).compute()  # type: ignore[arg-type]
    assert not torch.allclose(crossed.diagonal(), torch.ones(5, dtype=torch.float64), atol=1e-3)
