/** The panel: its tabs, and the sheet that it is on a phone. */

/** Make the tabs work and keep them the same as the store. */
export function mount({ store }) {
  const tabs = [...document.querySelectorAll("[role=tab]")].filter((tab) => !tab.hidden);
  const nameOf = (tab) => tab.id.replace("tab-", "");

  function draw({ tab: chosen }) {
    for (const tab of tabs) {
      const isChosen = nameOf(tab) === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      document.getElementById(nameOf(tab)).hidden = !isChosen;
    }
  }

  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => store.set({ tab: nameOf(tab) }));
    tab.addEventListener("keydown", (event) => {
      const places = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: -1 };
      if (!(event.key in places)) return;
      event.preventDefault();
      const next = tabs.at(places[event.key] % tabs.length);
      store.set({ tab: nameOf(next) });
      next.focus();
    });
  });
  store.subscribe((state, previous) => state.tab === previous.tab || draw(state));
  draw(store.get());
  mountSheet(document.getElementById("sheet"));
}

function mountSheet(button) {
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    document.querySelector(".page").classList.toggle("sheet-down", isOpen);
  });
}
