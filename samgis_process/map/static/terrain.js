/** Comes with a later step. */
export function mount(_element, _app) {}
