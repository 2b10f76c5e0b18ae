"use strict";
// The key stands in the address' fragment, which browsers never send.
const key = location.hash.slice(1);
const by = id => document.getElementById(id);

async function call(method, path) {
  const answer = await fetch(path, { method, headers: { Authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
  return answer.json();
}

function row(cells) {
  const line = document.createElement("tr");
  for (const cell of cells) {
    const place = document.createElement("td");
    place.append(cell);
    line.append(place);
  }
  return line;
}

function hole(name, open) {
  const button = document.createElement("button");
  button.textContent = open ? "Patch" : "Open again";
  button.setAttribute("aria-label", `${button.textContent}: ${name}`);
  button.onclick = () => act(open ? "PUT" : "DELETE", `/admin/patches/${name}`);
  return row([name.replaceAll("_", " "), open ? "open" : "patched", button]);
}

async function act(method, path) {
  try {
    if (method) await call(method, path);
    const now = await call("GET", "/admin/state");
    by("version").textContent = now.version;
    by("holes").replaceChildren(...Object.entries(now.holes).map(([name, open]) => hole(name, open)));
    by("said").replaceChildren(...now.said.map(one => row([one.user, one.message, one.response])));
    by("status").textContent = method ? "Deployed." : "";
  } catch (problem) {
    by("status").textContent = String(problem);
  }
}

act();
setInterval(() => { if (!document.hidden) act(); }, 3000);
