/** A link that names a dialog opens it here; without scripts it leads to the page with the same form. */
export function openDialogs(): void {
  addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-dialog]");
    const dialog = link && document.getElementById(link.dataset["dialog"]!);
    if (!(dialog instanceof HTMLDialogElement) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    link?.closest("details")?.removeAttribute("open");
    dialog.showModal();
  });

  // A menu closes when somebody presses Escape or looks elsewhere.
  addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector<HTMLDetailsElement>("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
}
