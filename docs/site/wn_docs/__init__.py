"""Makes the site from docs/: reference pages from the code, and a page for each source linked to."""
