"""Experiments on VGG networks, described in YAML and run by Lightning. Start at ``vggexp/__main__.py``."""
