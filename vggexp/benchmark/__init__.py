"""vggexp beside what one would write otherwise: contestants in processes of their own take turns at the same work.

``work/`` holds what is measured, one file each; ``against/`` who does it, ours included. The parent imports no torch.
"""
