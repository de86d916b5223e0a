// Runs before the page is drawn: which theme, and that there are scripts.
const root = document.documentElement;
root.classList.add("scripted");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
} catch { /* storage is switched off: the system's theme */ }
