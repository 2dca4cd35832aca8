"""Parsers of the layouts in which photos and annotations come: VOC, COCO, YOLO, tables, masks, lists, pets.

They turn files into ``record.Record`` and ``record.Problem``; used by the readers in ``vggexp/data``.
"""
