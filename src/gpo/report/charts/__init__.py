"""The pictures of a run: SVG made here, without a library, since the page opens offline."""
