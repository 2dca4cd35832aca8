"""Instance segmentation: detection with a mask for each object, so that two of one class are kept apart."""

from vggexp.task.detection import Detection


class InstanceSegmentation(Detection):
    """What a head found, masks included, to the objects of each image.

    Args:
        info: names the classes.
        loss: adds up the head's losses.
    """

    objective = "segm_map_50"
    name = "instance_segmentation"
    masks = True
