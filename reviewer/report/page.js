
"use strict";
const remarks = [...document.querySelectorAll(".remark")];
const filters = document.getElementById("filters");
const shown = () => remarks.filter((remark) => !remark.hidden);

function apply() {
  const severities = new Set([...filters.querySelectorAll("input:checked")].map((box) => box.value));
  const category = filters.querySelector("select").value;
  for (const remark of remarks) {
    const wanted = !category || remark.dataset.category === category;
    remark.hidden = !(wanted && severities.has(remark.dataset.severity));
  }
  const count = shown().length;
  document.getElementById("shown").textContent =
    count === remarks.length ? "" : `${count} of ${remarks.length} remarks shown`;
}

function step(by) {
  const list = shown();
  if (!list.length) return;
  const here = list.indexOf(document.activeElement.closest(".remark"));
  const next = here < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(here + by, 0), list.length - 1);
  list[next].closest("details").open = true;
  list[next].focus({ preventScroll: true });
  list[next].scrollIntoView({ block: "center" });
}

if (filters) {
  filters.hidden = false;
  filters.addEventListener("change", apply);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input")) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
}
