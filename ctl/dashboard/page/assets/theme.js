// Runs before the page is drawn: sets the theme, and notes that scripts run.
const root = document.documentElement;
root.classList.add("scripted");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
} catch { /* storage is switched off: the system's theme */ }
