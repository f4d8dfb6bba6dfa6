// What a page does beyond being read: it stays up to date, asks before it destroys, and says that
// it is busy. Without this script every page can be read and every form be sent.

const live = document.getElementById("live");
const address = document.querySelector("main")?.dataset.live;
const told = document.getElementById("connection");
let source = null;
let latest = ""; // what was last told
let late = false; // whether it came while something was being typed or chosen

// ---- staying up to date ----

function listen() {
  if (!address || source || document.hidden) return;
  source = new EventSource(address);
  source.addEventListener("live", (event) => arrived(event.data));
  source.addEventListener("open", () => say(""));
  source.addEventListener("error", () => {
    // A server that restarts is asked again by the browser itself; one that refuses is not.
    say("Not connected: what is shown may be old.");
    if (source.readyState !== EventSource.CLOSED) return;
    stop();
    refused();
  });
}

// Where the session is over, the page itself leads to signing in; what is being typed is kept.
async function refused() {
  const asked = { method: "HEAD", redirect: "manual" };
  const answer = await fetch(location.href, asked).catch(() => null);
  if (answer?.type !== "opaqueredirect") return setTimeout(listen, 5000);
  if (!busy()) return location.reload();
  say("Your session is over: sign in in another tab, and go on here.");
  setTimeout(listen, 5000);
}

function stop() {
  source?.close();
  source = null;
}

function say(text) {
  told.textContent = text;
  told.hidden = !text;
}

function arrived(html) {
  latest = html;
  late = busy();
  if (!late) show();
}

// A form that somebody is in the middle of is left alone.
function busy() {
  const at = document.activeElement;
  return live.contains(at) && at.matches("input:not([type=checkbox]), select, textarea");
}

function show(letIn = "") {
  const fresh = parsed(latest);
  late = false;
  hold(fresh, letIn);
  morph(live, fresh);
  ages();
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// New rows wait behind a button, so that nothing moves under the mouse.
const held = new Map(); // id of a list -> ids of the rows that have been let in

function hold(fresh, letIn) {
  for (const list of fresh.querySelectorAll("[data-rows]")) {
    const shown = document.getElementById(list.id);
    if (!shown || !shown.querySelector("[id]")) continue;
    const known = held.get(list.id) ?? new Set([...shown.children].map((row) => row.id));
    held.set(list.id, known);
    const waiting = [...list.children].filter((row) => row.id && !known.has(row.id));
    for (const row of waiting) row.remove();
    const gone = list.id === letIn ? 0 : stay(shown, list);
    const button = fresh.querySelector(`[data-let-in="${list.id}"]`);
    if (!button || !(waiting.length + gone)) continue;
    button.hidden = false;
    button.textContent = waiting.length ? `${waiting.length} new` : `${gone} gone`;
  }
}

// Rows that are in the list no more, because newer ones have pushed them off the page or because
// they have changed, stay where they are until the new ones are let in. How many do.
function stay(shown, list) {
  let before = null;
  let gone = 0;
  for (const row of shown.children) {
    let there = row.id && list.querySelector(`#${CSS.escape(row.id)}`);
    if (row.id && !there) {
      there = row.cloneNode(true);
      there.classList.add("gone");
      if (before) before.after(there);
      else list.prepend(there);
      gone += 1;
    }
    before = there || before;
  }
  return gone;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-let-in]");
  if (!button) return;
  const list = button.dataset.letIn;
  const rows = parsed(latest).querySelector(`#${CSS.escape(list)}`)?.children ?? [];
  held.set(list, new Set([...rows].map((row) => row.id)));
  show(list);
});

// ---- making one tree like another, without touching what is the same ----

function morph(old, fresh) {
  const known = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
  const left = [...fresh.childNodes];
  let at = old.firstChild;
  while (left.length) {
    const wanted = left.shift();
    const same = wanted.id ? known.get(wanted.id) : becoming(wanted, at, left);
    if (!same) {
      old.insertBefore(wanted, at);
      continue;
    }
    // What has an id and is wanted is put into its place when its turn comes.
    while (!wanted.id && at !== same) at = passed(at, left);
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    update(same, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// What becomes `wanted`: the next one alike, past what the page has no more. So a form that
// somebody has ticked something in stays that form when what stood before it goes.
function becoming(wanted, at, left) {
  const needed = (one) => left.some((other) => !other.id && alike(one, other));
  for (let one = at; one; one = one.nextSibling) {
    if (!one.id && alike(one, wanted)) return one;
    if (wanted.nodeType !== Node.ELEMENT_NODE) return null;
    if (!one.id && one.nodeType === Node.ELEMENT_NODE && needed(one)) return null;
  }
  return null;
}

function passed(one, left) {
  const next = one.nextSibling;
  if (!one.id || !left.some((other) => other.id === one.id)) one.remove();
  return next;
}

const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

function update(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) {
    // What a person has opened or chosen stays so.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morph(old, fresh);
}

// ---- words that time changes ----

const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function ages() {
  for (const one of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(one.dateTime)) / 1000;
    const text = distance(seconds);
    if (one.textContent !== text) one.textContent = text;
  }
}

function distance(seconds) {
  const far = Math.round(Math.abs(seconds));
  if (far < 5) return seconds >= 0 ? "just now" : "now";
  const [unit, length] = units.find(([, length]) => far >= length);
  const many = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  let text = many(Math.floor(far / length), unit);
  const rest = unit === "hour" ? Math.floor((far % 3600) / 60) : 0;
  if (rest) text += ` ${many(rest, "minute")}`;
  const hours = unit === "day" && far < 7 * 86400 ? Math.floor((far % 86400) / 3600) : 0;
  if (hours) text += ` ${many(hours, "hour")}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

// ---- times of day: in the browser's own zone, which the server is told once ----

function tellZone() {
  const shown = document.querySelector("main")?.dataset.zone;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!shown || !zone || shown === zone || document.cookie.includes("headrace_zone=")) return;
  document.cookie = `headrace_zone=${encodeURIComponent(zone)}; path=/; max-age=86400; samesite=lax`;
  if (document.cookie.includes("headrace_zone=")) location.reload();
}

// ---- forms ----

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  const question = button?.dataset.ask ?? form.dataset.ask;
  if (question && !form.dataset.sure) {
    event.preventDefault();
    ask(form, button, question);
    return;
  }
  delete form.dataset.sure;
  if (button?.dataset.busy) {
    // After the form has been sent: a button that is off sends nothing of itself.
    setTimeout(() => {
      button.textContent = button.dataset.busy;
      button.disabled = true;
    });
  }
});

function ask(form, submitter, question) {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  text.textContent = question;
  const yes = document.createElement("button");
  yes.textContent = submitter?.textContent ?? "Yes";
  yes.className = "main";
  const no = document.createElement("button");
  no.textContent = "Cancel";
  no.autofocus = true;
  dialog.append(text, yes, " ", no);
  document.body.append(dialog);
  yes.addEventListener("click", () => {
    form.dataset.sure = "yes";
    dialog.close();
    form.requestSubmit(submitter);
  });
  no.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-check-all]");
  if (!all) return;
  for (const one of document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`)) {
    one.checked = all.checked;
  }
});

document.addEventListener("focusout", () => setTimeout(() => late && !busy() && show()));
document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
window.addEventListener("pagehide", stop);
// A page that is come back to has old words on it, and buttons that are off.
window.addEventListener("pageshow", (event) => (event.persisted ? location.reload() : listen()));
setInterval(ages, 5000);
tellZone();
listen();
