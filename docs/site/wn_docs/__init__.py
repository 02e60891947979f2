"""Makes the site from docs/: reference pages from the code, sources as pages, links checked."""
