/** Elements of the page, made without markup: data never becomes HTML. */

/**
 * Make an element. Names with a hyphen, and `role`, are attributes; all others are properties.
 *
 * @param {string} tag
 * @param {object} properties
 * @param {...(Node|string|null|undefined|false)} children - those that are nothing are left out
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "role" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/** Make a button that submits nothing. */
export function button(text, onclick, properties = {}) {
  return make("button", { type: "button", onclick, ...properties }, text);
}
