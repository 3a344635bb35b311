"""HTTP under /api/v1/ for what is benchmarked and released; one module an object."""
