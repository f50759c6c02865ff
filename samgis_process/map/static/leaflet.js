/** Leaflet, whose small form comes as a script and not as a module: the page loads it first. */

export default globalThis.L;
