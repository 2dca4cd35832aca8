"""LEEP: how well the source's own classes predict the target's (Nguyen et al., ICML 2020, arXiv 2002.12462)."""

import numpy as np
from numpy.typing import NDArray


def leep(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The mean log-likelihood of the labels under the empirical predictor, at most 0; higher suits better.

    p(y | x) = sum over source classes z of P(y | z) p(z | x), where P(y | z) comes from the joint mean of p(z | x) over
    the images of class y (the paper's equations 1 to 3).

    Args:
        probabilities: (N, Z): the source classifier's probabilities for the target's images.
        labels: (N,): the target's classes.
    """
    kinds = np.unique(labels)
    joint = np.stack([probabilities[labels == kind].sum(0) for kind in kinds]) / len(labels)
    given = joint / np.maximum(joint.sum(0), 1e-300)
    likely = (probabilities @ given.T)[np.arange(len(labels)), np.searchsorted(kinds, labels)]
    return float(np.log(np.maximum(likely, 1e-300)).mean())
