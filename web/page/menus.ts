/** A menu closes when somebody presses Escape or looks elsewhere. */
export function closeMenus(): void {
  addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector<HTMLDetailsElement>("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  for (const kind of ["click", "focusin"]) {
    addEventListener(kind, (event) => {
      for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
        if (!menu.contains(event.target as Node)) menu.open = false;
      }
    });
  }
}
