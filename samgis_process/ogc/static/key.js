/**
 * The visitor's API key, for servers that ask for one: kept for this tab alone, sent in a header.
 *
 * `<api-key></api-key>` is the field to enter it; `keychange` on the document says that it changed.
 */

const NAME = "api-key";
const HEADER = "X-API-Key";

/** Return the key, or "". */
export function key() {
  return sessionStorage.getItem(NAME) ?? "";
}

/** Keep a key; "" forgets it. */
export function setKey(value) {
  const text = value.trim();
  if (text) sessionStorage.setItem(NAME, text);
  else sessionStorage.removeItem(NAME);
  document.dispatchEvent(new CustomEvent("keychange", { detail: { known: Boolean(text) } }));
}

/** Return the headers that a request needs; none without a key. */
export function headers() {
  const found = key();
  return found ? { [HEADER]: found } : {};
}

let fields = 0;

class ApiKey extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    fields += 1;
    this.form = document.createElement("form");
    this.input = Object.assign(document.createElement("input"), {
      id: `api-key-${fields}`,
      type: "password",
      autocomplete: "off",
      spellcheck: false,
      pattern: "[!-~]+",
      title: "Letters, digits and signs, without spaces",
      required: true,
    });
    const label = document.createElement("label");
    label.htmlFor = this.input.id;
    label.textContent = "API key";
    this.use = button("Use", "submit");
    this.forget = button("Forget", "button");
    this.state = document.createElement("span");
    this.state.setAttribute("role", "status");
    this.form.append(label, this.input, this.use, this.state, this.forget);
    this.append(this.form);
    this.form.addEventListener("submit", (event) => this.keep(event));
    this.forget.addEventListener("click", () => this.drop());
    this.onchange_ = () => this.draw();
    document.addEventListener("keychange", this.onchange_);
    this.draw();
  }

  disconnectedCallback() {
    document.removeEventListener("keychange", this.onchange_);
  }

  keep(event) {
    event.preventDefault();
    setKey(this.input.value);
    this.input.value = "";
    this.forget.focus();
  }

  drop() {
    setKey("");
    this.input.focus();
  }

  draw() {
    const known = Boolean(key());
    this.toggleAttribute("known", known);
    this.input.hidden = this.use.hidden = known;
    this.forget.hidden = !known;
    this.state.textContent = known ? "in use" : "";
  }
}

function button(text, type) {
  return Object.assign(document.createElement("button"), { textContent: text, type });
}

customElements.define("api-key", ApiKey);
