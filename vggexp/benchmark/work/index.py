"""The index of a folder of photos, from listing it to dividing it: at the first start, and again from what was kept.

``images`` files in 100 class folders; files that are equal across splits are looked for, which torchvision does not.
"""

from vggexp.benchmark.plan import Job, Sizes, Work, same


def plan(sizes: Sizes) -> Work:
    """A data set over all files, made twice."""
    job = Job("index", (), sample=sizes.images)
    return Work({"": job}, same(job, "torchvision"), train=1)
