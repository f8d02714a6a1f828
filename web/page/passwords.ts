/** Give every password field its button to show what was typed. */
export function revealPasswords(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-reveal]")) {
    const field = document.getElementById(button.dataset["reveal"]!) as HTMLInputElement;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
    });
    // Sent as a password, so that the browser offers to keep it and shows it to nobody.
    field.form?.addEventListener("submit", () => (field.type = "password"));
  }
}
