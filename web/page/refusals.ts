/** After a form was refused: buttons for what the browser's own do, sending it again and going back to change it. */
export function offerNextStep(): void {
  const steps: Record<string, () => void> = { resend: () => location.reload(), back: () => history.back() };
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-step]")) {
    button.hidden = false;
    button.addEventListener("click", () => steps[button.dataset["step"] ?? ""]?.());
  }
}
