// Before the first paint, so that a chosen theme doesn't flash; a file of its own because of the page's CSP.
try {
  const theme = localStorage.getItem("graft.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the page follows the system.
}
