/* The API's description as a page to read: every call, then every type, each linked to the other. */

import { badge } from "../badge.js";
import { element, replaceContent } from "../dom.js";
import { banner, paragraph } from "../section.js";
import { dataTable } from "../table.js";
import { schemaBlock, typeWords } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const TONES = { get: "info", post: "good", delete: "bad" };
const PARAMETERS = [{ label: "Name" }, { label: "In" }, { label: "Type" }, { label: "Meaning" }];
const RESPONSES = [{ label: "Status" }, { label: "Body" }, { label: "Meaning" }];

const content = document.getElementById("content");

function operationsOf(description) {
  return Object.entries(description.paths).flatMap(([path, calls]) =>
    METHODS.filter((method) => calls[method]).map((method) => ({
      method,
      path,
      call: calls[method],
      id: `${method}${path}`,
    })),
  );
}

function contentsList(operations, names) {
  return element(
    "nav",
    { class: "card stack-tight side", "aria-label": "Contents" },
    element("h2", {}, "Calls"),
    element("ul", { class: "plain small stack-tight" }, operations.map(({ method, path, id }) =>
      element("li", {}, element("a", { href: `#${id}` }, `${method.toUpperCase()} ${path}`)))),
    element("h2", {}, "Types"),
    element("ul", { class: "plain small" }, names.map((name) => element("li", {}, element("a", { href: `#type-${name}` }, name)))),
  );
}

function operationCard({ method, path, call, id }) {
  return element(
    "section",
    { class: "card stack-tight", id },
    element("h2", { class: "row" }, badge(method.toUpperCase(), TONES[method] ?? ""), element("code", {}, path)),
    element("strong", {}, call.summary),
    paragraph(call.description),
    parameterTable(call.parameters),
    bodyLines(call.requestBody),
    dataTable("Responses", RESPONSES, Object.entries(call.responses ?? {}).map(responseCells)),
  );
}

function parameterTable(parameters) {
  if (!parameters?.length) return null;
  const rows = parameters.map((parameter) => [
    element("code", {}, parameter.name),
    parameter.required ? `${parameter.in}, required` : parameter.in,
    typeWords(parameter.schema),
    parameter.description ?? "",
  ]);
  return dataTable("Parameters", PARAMETERS, rows);
}

function bodyLines(body) {
  if (!body) return null;
  return Object.entries(body.content ?? {}).map(([type, { schema }]) =>
    element("p", {}, element("strong", {}, "Body "), element("code", {}, type), ": ", typeWords(schema), " ", body.description),
  );
}

function responseCells([status, response]) {
  const bodies = Object.values(response.content ?? {}).map(({ schema }) => typeWords(schema));
  return [status, bodies.length > 0 ? bodies : "–", response.description ?? ""];
}

function showDescription(description) {
  const operations = operationsOf(description);
  const schemas = Object.entries(description.components?.schemas ?? {});
  replaceContent(
    content,
    element(
      "div",
      { class: "stack" },
      element("h1", {}, `${description.info.title} ${description.info.version}`),
      paragraph(description.info.description, "muted"),
      element(
        "div",
        { class: "columns" },
        contentsList(operations, schemas.map(([name]) => name)),
        element(
          "div",
          { class: "stack results" },
          operations.map(operationCard),
          schemas.map(([name, schema]) => schemaBlock(name, schema)),
        ),
      ),
    ),
  );
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

try {
  const response = await fetch("openapi.json");
  showDescription(await response.json());
} catch (error) {
  replaceContent(content, banner("bad", "The description cannot be read", error.message));
}
