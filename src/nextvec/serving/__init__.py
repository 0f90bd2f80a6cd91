"""HTTP in front of the stages: engine, routes, page; everything but app, server and routes works without HTTP."""
