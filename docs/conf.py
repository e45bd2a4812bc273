"""Sphinx configuration: Markdown in, static pages out, nothing fetched while building or reading."""

project = "tapcard"
copyright = "the tapcard authors"  # noqa: A001 - the name is Sphinx's
language = "en_GB"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tapcard.css"]
html_title = "tapcard documentation"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e99", "color-brand-content": "#0b6e99"},
    "dark_css_variables": {"color-brand-primary": "#4fc3f7", "color-brand-content": "#4fc3f7"},
}
