"""Reads thirty settings with dynaconf, without its typed layer, and prints them."""

from dynaconf import Dynaconf

config = Dynaconf(root_path=".", settings_files=["Config.toml"], envvar_prefix="APP")

for name, value in config.as_dict().items():
    print(name.lower(), value)
