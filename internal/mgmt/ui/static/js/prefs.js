// What the user chose, kept in the browser.

const memory = new Map(); // where storage is refused

export function get(name, otherwise) {
  try {
    const text = localStorage.getItem('warren.' + name);
    if (text !== null) return JSON.parse(text);
  } catch { /* fall through */ }
  return memory.has(name) ? memory.get(name) : otherwise;
}

export function set(name, value) {
  memory.set(name, value);
  try {
    if (value === undefined) localStorage.removeItem('warren.' + name);
    else localStorage.setItem('warren.' + name, JSON.stringify(value));
  } catch { /* remembered for this page only */ }
}

// applyTheme: 'auto' follows the system.
export function applyTheme(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
