/** Changes of objects and prompts, as patches for the store: nothing here changes what it gets. */

// Told apart on water, woods and roofs, and by people who do not see red and green alike.
const COLOURS = [
  "#ffb000", "#19b5fe", "#ff4d9d", "#8ee000", "#b388ff", "#ff7a2f", "#1de9c5", "#fff04d",
];

/** Return a new object whose id and colour none of `objects` has. */
export function newObject(objects) {
  const number = 1 + Math.max(0, ...objects.map((one) => Number(one.id) || 0));
  const free = COLOURS.filter((colour) => !objects.some((one) => one.colour === colour));
  return {
    id: String(number),
    name: `Object ${number}`,
    colour: free[0] ?? COLOURS[(number - 1) % COLOURS.length],
    hidden: false,
    alternative: 0,
    prompts: [],
  };
}

/** Return the object that the next prompt belongs to. */
export function activeObject(state) {
  return state.objects.find((one) => one.id === state.active) ?? state.objects[0];
}

/** Tell whether an object can be asked for: the server wants something to include. */
export function isUsable(object) {
  return object.prompts.some((one) => one.type === "rectangle" || one.label === 1);
}

/** Return the patch that changes one object. */
export function withChanges(state, id, changes) {
  const objects = state.objects.map((one) => (one.id === id ? { ...one, ...changes } : one));
  return { objects };
}

/**
 * Return the patch that adds a prompt to the active object; a second rectangle begins an object,
 * since the server takes one for each.
 */
export function withPrompt(state, prompt) {
  const object = activeObject(state);
  const hasBox = object.prompts.some((one) => one.type === "rectangle");
  if (prompt.type === "rectangle" && hasBox) {
    const added = { ...newObject(state.objects), prompts: [prompt] };
    return { objects: [...state.objects, added], active: added.id };
  }
  const prompts = [...object.prompts, prompt];
  return { ...withChanges(state, object.id, { prompts, alternative: 0, hidden: false }), active: object.id };
}

/** Return the patch that replaces one prompt, or leaves it out where `prompt` is null. */
export function withPromptAt(state, id, index, prompt) {
  const object = state.objects.find((one) => one.id === id);
  const prompts = object.prompts.flatMap((one, at) => (at === index ? (prompt ?? []) : one));
  return { ...emptied(state, withChanges(state, id, { prompts, alternative: 0 })), active: id };
}

/** Return the patch that adds an empty object and makes it the active one. */
export function withObject(state) {
  const added = newObject(state.objects);
  return { objects: [...state.objects, added], active: added.id };
}

/** Return the patch that takes an object away; there always is one. */
export function withoutObject(state, id) {
  const rest = state.objects.filter((one) => one.id !== id);
  const objects = rest.length ? rest : [newObject([])];
  const active = objects.some((one) => one.id === state.active) ? state.active : objects.at(-1).id;
  return emptied(state, { objects, active });
}

/** Return the patch that takes everything away. */
export function cleared() {
  return { objects: [newObject([])], active: "1", window: null };
}

/** Without prompts there is no window to keep to. */
function emptied(state, patch) {
  const any = patch.objects.some((one) => one.prompts.length);
  return any ? patch : { ...patch, window: null };
}
