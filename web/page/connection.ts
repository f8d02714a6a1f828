/** Say that the connection is gone, for as long as it is. */
export function showConnection(): void {
  const notice = document.getElementById("offline");
  if (!notice) return;
  const update = (): void => {
    notice.hidden = navigator.onLine;
  };
  addEventListener("online", update);
  addEventListener("offline", update);
  update();
}
