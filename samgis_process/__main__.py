"""`python -m samgis_process`: the command line without its console script."""

from samgis_process.cli import main

main(prog_name="samgis-process")
