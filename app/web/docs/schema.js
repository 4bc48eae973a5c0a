/* Types of the API's description, in words and with links. */

import { element } from "../dom.js";
import { paragraph } from "../section.js";
import { dataTable } from "../table.js";

const COLUMNS = [{ label: "Field" }, { label: "Type" }, { label: "Meaning" }];
const LIMITS = [["minimum", "at least"], ["maximum", "at most"], ["exclusiveMinimum", "more than"], ["maxLength", "at most this long:"]];

/* An array of text and links. */
export function typeWords(schema) {
  if (!schema || Object.keys(schema).length === 0) return ["anything"];
  if (schema.$ref) return [reference(schema.$ref.split("/").at(-1))];
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices) return [joined(choices.map(typeWords)), fallback(schema)];
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" or ")];
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.type === "array") return ["list of ", typeWords(schema.items)];
  if (schema.type === "object" && schema.additionalProperties) return ["map to ", typeWords(schema.additionalProperties)];
  return [schema.format ?? schema.type ?? "anything", limits(schema), fallback(schema)];
}

export function schemaBlock(name, schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([field, type]) => [
    [element("code", {}, field), required.has(field) ? "" : " (optional)"],
    typeWords(type),
    type.description ?? "",
  ]);
  return element(
    "section",
    { class: "card stack-tight", id: `type-${name}` },
    element("h2", {}, name),
    paragraph(schema.description),
    rows.length > 0 ? dataTable(name, COLUMNS, rows) : element("p", {}, typeWords(schema)),
  );
}

function reference(name) {
  return element("a", { href: `#type-${name}` }, name);
}

function joined(parts) {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [" or ", part]));
}

function limits(schema) {
  const known = LIMITS.filter(([key]) => schema[key] !== undefined);
  return known.map(([key, words]) => `, ${words} ${schema[key]}`).join("");
}

function fallback(schema) {
  return schema.default === undefined ? "" : `, else ${JSON.stringify(schema.default)}`;
}
