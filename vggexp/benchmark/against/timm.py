"""timm's VGG16 (https://github.com/huggingface/pytorch-image-models) with mixed precision and channels-last."""

import timm

from vggexp.benchmark.against.reference import WAY
from vggexp.benchmark.loop import Loop, take_steps
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import config_of, info_of


def steps(job: Job, rounds: Rounds) -> None:
    """Train a few batches per round. Its dense layers are convolutions; the shapes are the same."""
    config = config_of(job.words)
    network = timm.create_model("vgg16", pretrained=False, num_classes=len(info_of(config).classes))
    take_steps(Loop(network, config, WAY), job, rounds)
