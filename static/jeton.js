// Comfort only: every page works without this file.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const local = new Intl.DateTimeFormat("en-US", {
  weekday: "short", day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
// As the server writes it: "Tue 14 Apr 2026, 08:32".
const write = (date) => {
  const part = Object.fromEntries(local.formatToParts(date).map(({ type, value }) => [type, value]));
  return `${part.weekday} ${part.day} ${part.month} ${part.year}, ${part.hour}:${part.minute}`;
};
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Times: the words become local, the title keeps the exact UTC.
for (const time of all("time[datetime]")) {
  const date = new Date(time.dateTime);
  if (Number.isNaN(date.getTime())) continue;
  if ("local" in time.dataset) time.textContent = write(date);
  else time.title = `${write(date)} (${time.title})`;
}
for (const note of all("[data-zone]")) note.textContent = `Times are in your time zone, ${zone}.`;

// Copy buttons.
for (const button of all("[data-copy]")) {
  const label = button.firstChild;
  const live = document.getElementById("live");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      label.data = live.textContent = "Copied";
    } catch {
      // No clipboard here (plain http, or refused): leave it selected, ready to be copied by hand.
      getSelection().selectAllChildren(source);
      label.data = live.textContent = "Selected";
    }
    setTimeout(() => { label.data = "Copy"; live.textContent = ""; }, 4000);
  });
}

// The reveal: leaving asks until the token is stored.
for (const stored of all("[data-stored]")) {
  const box = stored.querySelector("input");
  stored.hidden = false;
  addEventListener("beforeunload", (event) => { if (!box.checked) event.preventDefault(); });
}

// A datetime-local field holds UTC; say what that is here.
const utc = (input) => new Date(`${input.value}Z`);
for (const echo of all("[data-echo-for]")) {
  const input = document.getElementById(echo.dataset.echoFor);
  const tell = () => {
    echo.hidden = Number.isNaN(utc(input).getTime());
    if (!echo.hidden) echo.textContent = `In your time: ${write(utc(input))}`;
  };
  input.addEventListener("input", tell);
  tell();
}

for (const form of all("[data-token-form]")) {
  // What the token will be able to do, and until when, in words.
  const echo = form.querySelector("[data-echo]");
  const custom = form.querySelector("#expires_at");
  const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);
  const end = () => {
    const choice = form.querySelector("[name=expires]:checked");
    if (!choice) return "Choose when it ends.";
    if (choice.value === "never") return "It never expires.";
    const time = choice.closest("label").querySelector("time");
    const date = time ? new Date(time.dateTime) : utc(custom);
    if (Number.isNaN(date.getTime())) return "Choose the date on which it ends.";
    return `It expires ${write(date)} (your time), ${date.toISOString().slice(11, 16)} UTC.`;
  };
  const tell = () => {
    const rights = all("[name=scope]:checked, [name=details]:checked", form).map((box) => lower(box.dataset.sentence));
    const list = new Intl.ListFormat("en-GB", { type: "conjunction" }).format(rights);
    echo.textContent = `${list ? `This token may ${list}.` : "This token may do nothing yet."} ${end()}`;
  };
  echo.hidden = false;
  form.addEventListener("input", tell);
  tell();

  // The filter. What is ticked stays in sight.
  const search = form.querySelector("[data-search]");
  const boxes = all("[name=scope]", form);
  const input = search.querySelector("input");
  search.hidden = boxes.length < 6;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const box of boxes) {
      const label = box.closest("label");
      label.hidden = !box.checked && !words.every((word) => label.textContent.toLowerCase().includes(word));
    }
    const shown = boxes.filter((box) => !box.closest("label").hidden).length;
    for (const group of all(".resource", form)) group.hidden = !group.querySelector("label:not([hidden])");
    search.querySelector("[role=status]").textContent = input.value ? `${shown} of ${boxes.length} shown` : "";
  });
  // Enter in the filter must not send the form.
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}
