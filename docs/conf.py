"""How Sphinx builds these pages: MyST in, furo out, and nothing loaded from anywhere else."""  # noqa: INP001 Sphinx runs it by its path

project = "wellkept"
copyright = "the wellkept authors"  # noqa: A001 Sphinx looks for this name
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "wellkept"
html_show_sphinx = False
