const find = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

// What a reader chose, as the address holds it behind the part that it points to: #part&key=value&...
const kept = new Map();
const decode = (text) => {
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    return ""; // a lone % in an address that was typed
  }
};

function address(part, pairs = kept) {
  return `#${[part, ...[...pairs].map(([key, value]) => `${key}=${value}`)].filter(Boolean).join("&")}`;
}

function keep(part, changes) {
  for (const [key, value] of Object.entries(changes)) {
    if (value) kept.set(key, value);
    else kept.delete(key);
  }
  history.replaceState(null, "", address(part));
}

function readAddress() {
  const parts = location.hash.slice(1).split("&");
  const pairs = parts.filter((part) => part.includes("=")).map((part) => part.split(/=(.*)/, 2));
  const part = parts[0].includes("=") ? "" : parts[0];
  if (pairs.length) {
    kept.clear();
    for (const [key, value] of pairs) kept.set(key, value);
  } else if (kept.size) history.replaceState(null, "", address(part)); // a link to a part takes nothing back
  return part;
}
