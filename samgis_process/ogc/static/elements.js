/** Making elements. */

/** Return an element with properties and children, texts or elements. */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** Return a button that does something. */
export function button(text, onclick, className = "button") {
  return make("button", { type: "button", className, onclick }, text);
}
