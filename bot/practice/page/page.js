// The page of the practice workspace: shows what one person sees and sends what they do to the control API.
// Everything that comes from outside goes in through textContent or an attribute; nothing is parsed as HTML.
"use strict";

const key = new URLSearchParams(location.hash.slice(1)).get("key") || "";
const shown = { me: sessionStorage.getItem("me") || "alice", channel: sessionStorage.getItem("channel") || "incidents", home: false };
let state = null;
let chosen = {}; // what was put into a modal's fields, kept while it is drawn again
let drawnView = "";
let problem = ""; // why the modal was not sent
const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

async function call(method, path, body) {
  const answer = await fetch(`control/${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return answer.json();
}

async function act(verb, args) {
  byId("notice").textContent = "";
  const answer = await call("POST", "do", { as: shown.me, verb, args });
  if (!answer.ok) byId("notice").textContent = answer.message || answer.error;
  return answer;
}

// Text

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const person = (id) => state.people.find((one) => one.id === id);
const two = (number) => String(number).padStart(2, "0");
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function dateText(seconds, format) {
  const at = new Date(seconds * 1000);
  const month = MONTHS[at.getUTCMonth()];
  const day = at.getUTCDate();
  const year = at.getUTCFullYear();
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  const numeric = `${year}-${two(at.getUTCMonth() + 1)}-${two(day)}`;
  const minutes = Math.round((Date.now() - at.getTime()) / 60000);
  const words = {
    date_num: numeric, date_slash: numeric, date: `${month} ${day}, ${year}`, date_pretty: `${month} ${day}, ${year}`,
    date_short: `${month.slice(0, 3)} ${day}, ${year}`, date_short_pretty: `${month.slice(0, 3)} ${day}, ${year}`,
    date_long: `${DAYS[at.getUTCDay()]}, ${month} ${day}, ${year}`, date_long_pretty: `${DAYS[at.getUTCDay()]}, ${month} ${day}, ${year}`,
    time: `${time} UTC`, time_secs: `${time}:${two(at.getUTCSeconds())} UTC`,
    ago: minutes >= 0 ? `${minutes} minutes ago` : `in ${-minutes} minutes`,
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => words[name] || whole);
}

function angle(inside) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? "" : unescape(inside.slice(bar + 1));
  if (target.startsWith("@")) return make("span", { class: "mention" }, `@${(person(target.slice(1)) || {}).name || label || target.slice(1)}`);
  if (target.startsWith("#")) {
    const channel = state.channels.find((one) => one.id === target.slice(1));
    return make("span", { class: "mention" }, `#${channel ? channel.title : label || "private-channel"}`);
  }
  if (target.startsWith("!date^")) {
    const [, seconds, format] = target.split("^");
    return make("time", { title: label }, dateText(Number(seconds), format));
  }
  if (target.startsWith("!subteam^")) {
    const group = state.groups.find((one) => one.id === target.slice(9));
    return make("span", { class: "mention" }, `@${group ? group.handle : label}`);
  }
  if (target.startsWith("!")) return make("span", { class: "mention" }, `@${target.slice(1)}`);
  return link(unescape(target), label || unescape(target));
}

function link(target, label) {
  if (!/^(https?|mailto):/i.test(target)) return document.createTextNode(label);
  return make("a", { href: target, rel: "noopener noreferrer", target: "_blank" }, label);
}

const MARKS = [
  [/```([\s\S]+?)```/, (found) => make("pre", {}, unescape(found[1].replace(/^\n/, "")))],
  [/`([^`\n]+)`/, (found) => make("code", {}, unescape(found[1]))],
  [/<([^<>\n]+)>/, (found) => angle(found[1])],
  [/(?<![\w*])\*([^*\n]+)\*(?![\w*])/, (found) => make("strong", {}, ...inline(found[1]))],
  [/(?<!\w)_([^_\n]+)_(?!\w)/, (found) => make("em", {}, ...inline(found[1]))],
  [/(?<!\w)~([^~\n]+)~(?!\w)/, (found) => make("s", {}, ...inline(found[1]))],
  [/https?:\/\/[^\s<>|]+/, (found) => link(unescape(found[0]), unescape(found[0]))],
  [/:([a-z0-9_+-]+):/, (found) => document.createTextNode(EMOJI[found[1]] || found[0])],
];
const EMOJI = {
  white_check_mark: "✅", warning: "⚠️", rotating_light: "🚨", red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡",
  large_blue_circle: "🔵", large_green_circle: "🟢", x: "❌", lock: "🔒", eyes: "👀", hourglass: "⌛", pushpin: "📌", tada: "🎉", fire: "🔥",
  no_entry: "⛔", bell: "🔔", shield: "🛡️", mag: "🔍", memo: "📝", robot_face: "🤖", stopwatch: "⏱️", thumbsup: "👍", "+1": "👍",
};

function inline(text) {
  let first = null;
  for (const [pattern, build] of MARKS) {
    const found = pattern.exec(text);
    if (found && (first === null || found.index < first.found.index)) first = { found, build };
  }
  if (first === null) return text ? [document.createTextNode(unescape(text))] : [];
  const before = text.slice(0, first.found.index);
  const after = text.slice(first.found.index + first.found[0].length);
  return [...(before ? [document.createTextNode(unescape(before))] : []), first.build(first.found), ...inline(after)];
}

function mrkdwn(text) {
  const node = make("div", { class: "text" });
  const parts = text.split(/(```[\s\S]+?```)/);
  for (const part of parts) {
    if (part.startsWith("```")) { node.append(...inline(part)); continue; }
    part.split("\n").forEach((line, index, lines) => {
      const quoted = line.startsWith("&gt;") || line.startsWith(">");
      const bullet = /^(\s*)[-•] /.test(line) ? line.replace(/^(\s*)[-•] /, "$1• ") : line;
      if (quoted) node.append(make("span", { class: "quote" }, ...inline(line.replace(/^(&gt;|>)\s?/, ""))));
      else node.append(...inline(bullet), index < lines.length - 1 ? "\n" : "");
    });
  }
  return node;
}

function words(object) {
  if (!object) return document.createTextNode("");
  if (object.type === "mrkdwn") return mrkdwn(object.text);
  return make("span", { class: "text" }, unescape(object.text).replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] || whole));
}

function rich(node) {
  const children = (node.elements || []).map(rich);
  switch (node.type) {
    case "text": {
      const style = node.style || {};
      const tag = style.code ? "code" : style.bold ? "strong" : style.italic ? "em" : style.strike ? "s" : "span";
      return make(tag, { class: "text" }, node.text);
    }
    case "link": return link(node.url, node.text || node.url);
    case "user": return angle(`@${node.user_id}`);
    case "usergroup": return angle(`!subteam^${node.usergroup_id}`);
    case "broadcast": return angle(`!${node.range}`);
    case "channel": return angle(`#${node.channel_id}`);
    case "emoji": return document.createTextNode(EMOJI[node.name] || `:${node.name}:`);
    case "rich_text_list": return make(node.style === "ordered" ? "ol" : "ul", {}, ...children.map((one) => make("li", {}, one)));
    case "rich_text_quote": return make("blockquote", {}, ...children);
    case "rich_text_preformatted": return make("pre", {}, ...children);
    default: return make("div", {}, ...children);
  }
}

// Elements. `place` says where they stand: {channel, message} or a view, and the values already chosen.

function ask(dialog) {
  return new Promise((resolve) => {
    const box = byId("confirm");
    const close = (answer) => { box.close(); resolve(answer); };
    box.replaceChildren(
      make("h2", { id: "confirm-title" }, words(dialog.title)), words(dialog.text),
      make("div", { class: "foot" },
        make("button", { type: "button", class: "press", onclick: () => close(false) }, words(dialog.deny)),
        make("button", { type: "button", class: `press ${dialog.style || "primary"}`, onclick: () => close(true) }, words(dialog.confirm))));
    box.oncancel = () => resolve(false);
    box.showModal();
  });
}

async function press(place, block, element, extra) {
  if (element.confirm && !(await ask(element.confirm))) return draw();
  const args = { channel: place.channel || null, message: place.message || null, action_id: element.action_id, ...extra };
  await act(extra.verb, (delete args.verb, args));
  return null;
}

function nth(place, element) {
  const same = place.all.filter((one) => one.action_id === element.action_id);
  return same.length > 1 ? same.indexOf(element) : null;
}

const PEOPLE = /^(multi_)?(users)_select$/;
const CHANNELS = /^(multi_)?(channels|conversations)_select$/;

function offered(element) {
  if (PEOPLE.test(element.type)) return state.people.map((one) => [one.id, one.real_name]);
  if (CHANNELS.test(element.type)) return state.channels.map((one) => [one.id, `#${one.title}`]);
  const groups = element.option_groups || [{ options: element.options || [] }];
  return groups.flatMap((group) => group.options.map((one) => [one.value, unescape(one.text.text)]));
}

function current(entry) {
  if (!entry) return null;
  if (entry.selected_option) return entry.selected_option.value;
  if (entry.selected_options) return entry.selected_options.map((one) => one.value);
  const named = Object.entries(entry).find(([name]) => name !== "type");
  return named ? named[1] : null;
}

function start(element) {
  if (element.initial_option) return element.initial_option.value;
  if (element.initial_options) return element.initial_options.map((one) => one.value);
  for (const name of ["initial_value", "initial_user", "initial_users", "initial_channel", "initial_conversation", "initial_date", "initial_time"]) {
    if (element[name] !== undefined) return element[name];
  }
  return null;
}

// One control; `changed` gets the new value.
function control(element, value, changed, label) {
  const hint = element.placeholder ? unescape(element.placeholder.text) : "";
  const multi = element.type.startsWith("multi_");
  if (element.type === "checkboxes" || element.type === "radio_buttons") {
    const many = element.type === "checkboxes";
    const name = `g${Math.random()}`;
    const picked = new Set([].concat(value || []));
    return make("div", { role: "group", "aria-label": label }, ...element.options.map((one) => {
      const box = make("input", { type: many ? "checkbox" : "radio", name, value: one.value, checked: picked.has(one.value) });
      box.addEventListener("change", () => {
        if (many) picked[box.checked ? "add" : "delete"](one.value);
        changed(many ? [...picked] : one.value);
      });
      return make("label", { class: "note" }, box, " ", words(one.text), one.description ? make("span", { class: "at" }, words(one.description)) : null);
    }));
  }
  if (element.type.endsWith("_select") || element.type === "overflow") {
    const list = make("select", { "aria-label": label, multiple: multi });
    if (!multi) list.append(make("option", { value: "" }, element.type === "overflow" ? "⋯" : hint || "Choose…"));
    const picked = new Set([].concat(value || []));
    for (const [one, text] of offered(element)) list.append(make("option", { value: one, selected: picked.has(one) }, text));
    list.addEventListener("change", () => changed(multi ? [...list.selectedOptions].map((one) => one.value) : list.value || null));
    return list;
  }
  if (element.type === "file_input") {
    const files = make("input", { type: "file", "aria-label": label, multiple: element.max_files !== 1 });
    files.addEventListener("change", async () => {
      const sent = await Promise.all([...files.files].map(async (one) => act("put_file", { name: one.name, content: await base64(one) })));
      changed(sent.every((answer) => answer.ok) ? sent.map((answer) => answer.result.id) : null);
    });
    return files;
  }
  const kinds = { datepicker: "date", timepicker: "time", number_input: "text", email_text_input: "email", url_text_input: "url" };
  const field = element.multiline ? make("textarea", { rows: 5 }) : make("input", { type: kinds[element.type] || "text" });
  field.value = value ?? "";
  field.setAttribute("aria-label", label);
  if (hint) field.placeholder = hint;
  if (element.max_length) field.maxLength = element.max_length;
  field.addEventListener("input", () => changed(field.value || null));
  return field;
}

function interactive(place, block, element) {
  if (element.type === "image") return make("span", { class: "note" }, `[image: ${element.alt_text}]`);
  const label = element.text ? unescape(element.text.text) : element.action_id;
  if (element.type === "button") {
    const value = element.value === undefined ? nth(place, element) : element.value;
    return make("button", {
      type: "button", class: `press ${element.style || ""}`, "aria-label": element.accessibility_label,
      onclick: () => {
        if (element.url && /^https?:/i.test(element.url)) window.open(element.url, "_blank", "noopener");
        return press(place, block, element, { verb: "press", value });
      },
    }, words(element.text));
  }
  const known = ((place.chosen || {})[block.block_id] || {})[element.action_id];
  const value = known ? current(known) : start(element);
  return control(element, value, (picked) => {
    if (element.type === "overflow" && !picked) return null;
    if (document.activeElement) document.activeElement.blur();
    return press(place, block, element, { verb: "choose", value: picked, nth: nth(place, element) });
  }, label);
}

function input(place, block) {
  const element = block.element;
  const id = block.block_id;
  if (!(id in chosen)) {
    const known = ((place.chosen || {})[id] || {})[element.action_id];
    chosen[id] = known ? current(known) : start(element);
  }
  const label = unescape(block.label.text);
  const group = element.type === "checkboxes" || element.type === "radio_buttons";
  const error = (place.errors || {})[id];
  return make(group ? "fieldset" : "label", { class: "field" },
    make(group ? "legend" : "span", {}, label, block.optional ? make("span", { class: "at" }, "(optional)") : null),
    control(element, chosen[id], (value) => { chosen[id] = value; }, label),
    block.hint ? make("span", { class: "note" }, words(block.hint)) : null,
    error ? make("span", { class: "error", role: "alert" }, error) : null);
}

function drawBlock(place, block) {
  const box = make("div", { class: "block" });
  switch (block.type) {
    case "header": box.append(make("h3", {}, words(block.text))); break;
    case "divider": box.append(make("hr")); break;
    case "section": {
      const left = make("div", {}, block.text ? words(block.text) : null,
        block.fields ? make("div", { class: "fields" }, ...block.fields.map(words)) : null);
      box.append(make("div", { class: "section" }, left, block.accessory ? interactive(place, block, block.accessory) : null));
      break;
    }
    case "context":
      box.append(make("div", { class: "context" }, ...block.elements.map((one) => (one.type === "image" ? interactive(place, block, one) : words(one)))));
      break;
    case "actions": case "context_actions":
      box.append(make("div", { class: "actions" }, ...block.elements.map((one) => interactive(place, block, one))));
      break;
    case "input": box.append(input(place, block)); break;
    case "image": box.append(make("span", { class: "note" }, `[image: ${block.alt_text}]`)); break;
    case "rich_text": box.append(...block.elements.map(rich)); break;
    case "markdown": box.append(make("div", { class: "text" }, block.text)); break;
    case "alert": box.append(make("div", { class: "message ephemeral" }, words(block.text))); break;
    case "table": box.append(make("table", {}, ...block.rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell.text || rich(cell))))))); break;
    case "container": box.append(...[block.title, block.subtitle].filter(Boolean).map(words), ...block.child_blocks.map((one) => drawBlock(place, one))); break;
    case "card": box.append(...[block.title, block.subtitle, block.body, block.subtext].filter(Boolean).map(words), ...(block.actions || []).map((one) => interactive(place, block, one))); break;
    case "carousel": box.append(...block.elements.map((one) => drawBlock(place, one))); break;
    default: box.append(make("span", { class: "note" }, `[${block.type}]`));
  }
  return box;
}

function elements(blocks) {
  return blocks.flatMap((block) => [block.accessory, block.element, ...(block.elements || []), ...elements(block.child_blocks || [])]
    .filter((one) => one && one.action_id));
}

// Messages, the Home tab, modals

function drawMessage(channel, message) {
  const who = person(message.user) || { name: message.user, real_name: message.user };
  const system = message.subtype && !["file_share", "bot_message"].includes(message.subtype);
  const reply = message.thread_ts && message.thread_ts !== message.ts;
  const blocks = message.blocks || [];
  const place = { channel: channel.id, message: message.ts, chosen: message.chosen, all: elements(blocks) };
  const at = new Date(Number(message.ts.split(".")[0]) * 1000);
  return make("li", { class: `message ${message.ephemeral ? "ephemeral" : ""} ${system ? "system" : ""} ${reply ? "reply" : ""}` },
    make("span", { class: "by" }, who.real_name), who.is_bot ? make("span", { class: "app" }, "APP") : null,
    make("time", { class: "at", title: at.toISOString() }, `${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`),
    message.edited ? make("span", { class: "at" }, "(edited)") : null,
    channel.pins.includes(message.ts) ? make("span", { class: "at" }, "📌 pinned") : null,
    message.ephemeral ? make("span", { class: "note" }, "Only visible to you") : null,
    ...(blocks.length ? blocks.map((block) => drawBlock(place, block)) : [mrkdwn(message.text)]),
    ...(message.files || []).map(drawFile),
    message.ephemeral || system ? null : drawShortcuts(channel, message),
    message.reactions ? make("div", { class: "reactions" }, ...message.reactions.map((one) => make("span", {}, `${EMOJI[one.name] || one.name} ${one.count}`))) : null);
}

async function base64(file) {
  let letters = "";
  for (const one of new Uint8Array(await file.arrayBuffer())) letters += String.fromCharCode(one);
  return btoa(letters);
}

// Files: their bytes come through the control API, since a link carries no key.

const pictures = new Map();

async function bytesOf(one) {
  const answer = await call("GET", `file?as=${encodeURIComponent(shown.me)}&id=${encodeURIComponent(one.id)}`);
  if (!answer.ok) throw new Error(answer.message || answer.error);
  const bytes = Uint8Array.from(atob(answer.result.base64), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: PICTURES.includes(answer.result.type) ? answer.result.type : "application/octet-stream" }));
}

const PICTURES = ["image/png", "image/jpeg", "image/gif"];

async function download(one) {
  try {
    const link = make("a", { href: await bytesOf(one), download: one.name });
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (problem) {
    byId("notice").textContent = problem.message;
  }
}

function drawFile(one) {
  const saved = make("button", { type: "button", onclick: () => download(one) }, `📄 ${one.title || one.name} (${one.size} bytes)`);
  if (!PICTURES.includes(one.mimetype)) return make("div", { class: "file" }, saved);
  const picture = make("img", { alt: one.alt_txt || one.title || one.name });
  if (!pictures.has(one.id)) pictures.set(one.id, bytesOf(one));
  pictures.get(one.id).then((url) => { picture.src = url; }, () => picture.remove());
  return make("div", { class: "file" }, picture, saved);
}

function drawShortcuts(channel, message) {
  const offered = Object.entries(state.message_shortcuts);
  if (!offered.length) return null;
  return make("details", { class: "shortcuts" }, make("summary", { "aria-label": "More actions" }, "⋮"),
    ...offered.map(([id, name]) => make("button", {
      type: "button", class: "press", onclick: () => act("message_shortcut", { channel: channel.id, message: message.ts, callback_id: id }),
    }, name)));
}

function drawHome(list) {
  byId("title").textContent = "Home";
  byId("topic").textContent = "What the app shows on its Home tab";
  byId("members").textContent = "";
  const view = state.home;
  if (!view) return list.replaceChildren(make("li", { class: "note" }, "The app has not published a Home tab yet."));
  const place = { message: view.id, chosen: view.state.values, all: elements(view.blocks) };
  return list.replaceChildren(...view.blocks.map((block) => make("li", {}, drawBlock(place, block))));
}

async function submit(view) {
  const values = {};
  for (const block of view.blocks) if (block.type === "input") values[block.block_id] = chosen[block.block_id] ?? null;
  const answer = await act("submit", { view: view.id, values });
  problem = answer.ok ? "" : answer.message || answer.error;
  drawnView = "";
  if (answer.ok) refresh(); else drawModal();
}

function drawModal() {
  const dialog = byId("modal");
  const view = state.view;
  if (!view) { drawnView = ""; chosen = {}; problem = ""; if (dialog.open) dialog.close(); return; }
  const mark = `${view.id} ${view.hash} ${JSON.stringify(view.errors)}`;
  if (mark === drawnView) return;
  if (!drawnView.startsWith(view.id) && drawnView !== "") { chosen = {}; problem = ""; }
  drawnView = mark;
  const place = { chosen: view.state.values, errors: view.errors, all: elements(view.blocks) };
  dialog.replaceChildren(
    make("h2", { id: "modal-title" }, words(view.title)),
    ...view.blocks.map((block) => drawBlock(place, block)),
    make("p", { class: "problem error", role: "alert" }, problem),
    make("div", { class: "foot" },
      make("button", { type: "button", class: "press", onclick: () => act("close_view", {}) }, view.close ? words(view.close) : "Cancel"),
      view.submit ? make("button", { type: "button", class: "press primary", onclick: () => submit(view) }, words(view.submit)) : null));
  dialog.oncancel = (event) => { event.preventDefault(); act("close_view", {}); };
  if (!dialog.open) dialog.showModal();
}

const seen = {};

function drawSide(channel) {
  const select = byId("person");
  if (select.options.length !== state.people.filter((one) => !one.is_bot).length) {
    select.replaceChildren(...state.people.filter((one) => !one.is_bot).map((one) => make("option", { value: one.name }, one.real_name + (one.guest ? " (guest)" : ""))));
  }
  select.value = shown.me;
  byId("status").textContent = state.connected ? "The app is connected." : "The app is not connected.";
  byId("channels").replaceChildren(...state.channels.map((one) => {
    const count = one.messages.length;
    const here = !shown.home && channel && one.id === channel.id;
    if (here) seen[one.id] = count;
    const sign = one.is_im ? "@" : one.is_private ? "🔒" : "#";
    const open = () => { shown.home = false; shown.channel = one.id; sessionStorage.setItem("channel", one.id); draw(true); };
    return make("li", {}, make("button", { type: "button", "aria-current": here ? "page" : null, class: count > (seen[one.id] || 0) ? "unread" : "", onclick: open },
      `${sign} ${one.title}${one.archived ? " (archived)" : ""}`));
  }));
  if (shown.home) byId("home").setAttribute("aria-current", "page"); else byId("home").removeAttribute("aria-current");
}

function draw(jump = false) {
  if (!state) return;
  const channel = state.channels.find((one) => one.id === shown.channel || one.name === shown.channel) || state.channels[0];
  drawSide(channel);
  const list = byId("messages");
  byId("composer").hidden = shown.home || !channel;
  if (shown.home) drawHome(list);
  else if (channel) {
    const bottom = jump || list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    byId("title").textContent = `${channel.is_im ? "" : "#"}${channel.title}`;
    byId("topic").replaceChildren(mrkdwn(channel.topic || ""));
    byId("members").textContent = `${channel.members.length} members${channel.members.includes(state.me) ? "" : ", you are not one of them"}`;
    if (!list.contains(document.activeElement) || document.activeElement.tagName === "BUTTON") {
      const canvas = channel.canvas ? [make("li", {}, make("details", { class: "canvas" }, make("summary", {}, "Canvas"), make("pre", {}, channel.canvas)))] : [];
      list.replaceChildren(...canvas, ...channel.messages.map((message) => drawMessage(channel, message)));
      if (bottom) list.scrollTop = list.scrollHeight;
    }
  }
  drawModal();
}

async function refresh(jump = false) {
  const answer = await call("GET", `state?as=${encodeURIComponent(shown.me)}`);
  if (answer.ok) { state = answer.result; draw(jump); }
  return answer.ok;
}

async function follow() {
  if (!(await refresh(true).catch(() => false))) {
    byId("notice").textContent = "Open this page with the address that the workspace printed: it holds the key.";
    return;
  }
  for (;;) {
    try {
      const answer = await call("GET", `wait?after=${state.version}`);
      if (answer.ok && answer.result.version !== state.version) await refresh();
    } catch {
      byId("status").textContent = "The workspace does not answer.";
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}

byId("person").addEventListener("change", (event) => {
  shown.me = event.target.value;
  sessionStorage.setItem("me", shown.me);
  chosen = {};
  drawnView = "";
  refresh(true);
});
byId("home").addEventListener("click", () => { shown.home = true; act("open_home", {}); draw(true); });
byId("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const line = byId("line");
  const text = line.value.trim();
  if (!text) return;
  line.value = "";
  byId("messages").scrollTop = byId("messages").scrollHeight;
  const channel = byId("title").textContent.startsWith("#") || state.channels.some((one) => one.id === shown.channel) ? shown.channel : state.channels[0].id;
  const answer = text.startsWith("/") ? await act("slash", { channel, line: text }) : await act("say", { channel, text });
  if (!answer.ok && answer.error === "cannot_do") line.value = text;
});
byId("attach").addEventListener("change", async (event) => {
  for (const one of event.target.files) await act("upload", { channel: shown.channel, name: one.name, content: await base64(one) });
  event.target.value = "";
});
follow();
