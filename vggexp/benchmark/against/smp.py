"""segmentation-models-pytorch's U-Net on VGG16 with mixed precision and channels-last.

Its decoder has fewer channels than ours (256 to 16, ours 256 to 32, both with VGG's skips), so it does less work.
"""

import segmentation_models_pytorch

from vggexp.benchmark.against.reference import WAY
from vggexp.benchmark.loop import Loop, take_steps
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import config_of, info_of


def steps(job: Job, rounds: Rounds) -> None:
    """Train a few batches per round."""
    config = config_of(job.words)
    classes = len(info_of(config).mask_classes)
    network = segmentation_models_pytorch.Unet("vgg16", encoder_weights=None, classes=classes)
    take_steps(Loop(network, config, WAY), job, rounds)
