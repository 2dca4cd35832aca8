"""The type, range and meaning of every key of the config, in a file that is read without torch.

``own.py`` has the keys that no constructor takes. ``write.py`` makes ``keys.json`` from them, the constructors'
signatures and the YAML files. ``known.py`` reads it: ``config/check/schema.py`` compares a config with it,
``config/key_help.py`` prints it, and ``editor.py`` makes the JSON Schema of presets from it.
"""
