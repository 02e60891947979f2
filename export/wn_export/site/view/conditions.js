// @ts-check
/** A menu for each condition of the model, or boxes where any set of values can be chosen. */

/** @typedef {import("../engine/engine.js").Condition} Condition */

/**
 * @param {HTMLElement} place
 * @param {readonly Condition[]} conditions
 * @param {string | undefined} needed the one that must have a value
 * @param {Readonly<Record<string, string>>} chosen to begin with; tags joined by +
 */
export function showConditions(place, conditions, needed, chosen) {
  place.replaceChildren(
    ...conditions.map((condition) => {
      const { name, tags, values } = condition;
      if (tags) return boxes(condition, (chosen[name] ?? "").split("+"));
      const first = name in chosen ? values.indexOf(chosen[name]) : 0;
      return menu(condition, name !== needed, first);
    }),
  );
}

/**
 * What is chosen: values of each condition.
 * @param {HTMLElement} place
 * @param {readonly Condition[]} conditions
 * @returns {Map<string, string[]>}
 */
export function chosenConditions(place, conditions) {
  return new Map(
    conditions.map(({ name, values }, i) => {
      const part = place.children[i];
      const menu = part.querySelector("select");
      const marked = menu
        ? [Number(menu.value)]
        : Array.from(part.querySelectorAll("input"), (box, j) => (box.checked ? j : -1));
      return [name, marked.filter((j) => j >= 0).map((j) => values[j])];
    }),
  );
}

/** @param {Condition} condition @param {boolean} optional @param {number} first */
function menu({ name, values }, optional, first) {
  const field = made("div", { className: "field" });
  const select = made("select", { id: `condition-${name}` });
  select.append(
    ...values.map((value, i) => made("option", { value: String(i), textContent: value })),
  );
  if (optional) select.append(made("option", { value: "-1", textContent: "not said" }));
  select.value = String(first);
  field.append(made("label", { htmlFor: select.id, textContent: titled(name) }), select);
  return field;
}

/** @param {Condition} condition @param {readonly string[]} marked */
function boxes({ name, values }, marked) {
  const group = made("fieldset", { className: "tags" });
  group.append(
    made("legend", { textContent: titled(name) }),
    ...values.map((value) => {
      const label = made("label", {});
      label.append(made("input", { type: "checkbox", checked: marked.includes(value) }), value);
      return label;
    }),
  );
  return group;
}

/** @param {string} name */
function titled(name) {
  const words = name.replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} properties
 * @returns {HTMLElementTagNameMap[K]}
 */
export function made(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
