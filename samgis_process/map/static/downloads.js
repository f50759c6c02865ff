/** Files for the visitor: their names, and saving what was fetched with a key. */

const SUFFIXES = {
  "application/geo+json": "geojson",
  "application/geopackage+sqlite3": "gpkg",
  "application/flatgeobuf": "fgb",
  "application/vnd.apache.parquet": "parquet",
  "application/vnd.samgis.report+json": "report.json",
  "application/json": "json",
  "image/png": "png",
  "image/tiff": "tif",
};

/** @returns {string} such as samgis-sample-2026-11-21.gpkg */
export function fileName(source, mediaType, date = new Date()) {
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((number) => String(number).padStart(2, "0"))
    .join("-");
  const name = String(source).replace(/[^\w.-]+/g, "-");
  return `samgis-${name}-${day}.${SUFFIXES[mediaType.split(";")[0].trim()] ?? "bin"}`;
}

/** Have the browser save a file. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
