"""The description of the HTTP interface (OpenAPI 3.1), made of what the server works with: kinds, routes, doors and limits."""
