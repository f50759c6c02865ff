"""Opens an address in QGIS as a user's map would, and prints what QGIS sees of it as JSON.

Run by QGIS's own Python: `qgis_layer.py vector|raster ADDRESS`.
"""

import json
import sys

from qgis.core import QgsApplication, QgsPointXY, QgsRasterLayer, QgsVectorLayer


def vector(address):
    layer = QgsVectorLayer(address, "layer", "ogr")
    features = [
        {"score": feature["score"], "wkt": feature.geometry().asWkt(7)}
        for feature in layer.getFeatures()
    ]
    return layer, {"features": features}


def raster(address):
    layer = QgsRasterLayer(address, "layer", "gdal")
    middle = QgsPointXY(layer.extent().center())
    # The last band that QGIS counts is the mask, which this QGIS cannot sample.
    sampled = [layer.dataProvider().sample(middle, band)[0] for band in (1, 2, 3)]
    return layer, {"shape": [layer.height(), layer.width()], "middle": sampled}


def main(kind, address):
    application = QgsApplication([], False)
    application.initQgis()
    layer, seen = {"vector": vector, "raster": raster}[kind](address)
    extent = layer.extent()
    corners = [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()]
    seen |= {"valid": layer.isValid(), "crs": layer.crs().authid(), "extent": corners}
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
