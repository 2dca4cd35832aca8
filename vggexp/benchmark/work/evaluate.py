"""Evaluating a classifier on a split: from JPEG files to the metrics."""

from vggexp.benchmark.plan import Job, Sizes, Work, same


def plan(sizes: Sizes) -> Work:
    """One pass over ``sizes.sample`` photos."""
    words = sizes.words("task=classification", *sizes.mlp, "baseline=false", batch_size=32)
    job = Job("evaluate", words)
    return Work({"": job}, same(job, "plain", "reference", "lightning"), train=4, test=sizes.sample, bounded=True)
