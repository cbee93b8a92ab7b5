// Draws the API's documentation from its OpenAPI description, grouped by tag.
(async () => {
  "use strict";

  const main = document.querySelector(".docs-main");
  const nav = document.querySelector(".docs-nav");
  const VERBS = ["get", "post", "put", "patch", "delete"];
  let api;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  /** Follows `$ref`s inside the description. */
  function resolve(node) {
    for (let hops = 0; node?.$ref && hops < 8; hops += 1) {
      node = node.$ref.replace(/^#\//, "").split("/").reduce((part, key) => part?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], api);
    }
    return node ?? {};
  }

  function typeName(schema) {
    const name = schema?.$ref?.split("/").pop();
    if (name) return name;
    if (schema?.type === "array") return `[${typeName(schema.items)}]`;
    for (const any of [schema?.oneOf, schema?.anyOf]) if (any) return any.map(typeName).join(" | ");
    const type = [].concat(schema?.type ?? "any").join(" | ");
    if (schema?.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    return schema?.format ? `${type} (${schema.format})` : type;
  }

  function limits(schema) {
    const facts = [];
    for (const [key, label] of [["default", "default"], ["minimum", "at least"], ["maximum", "at most"], ["minLength", "shortest"],
      ["maxLength", "longest"], ["pattern", "pattern"]]) {
      if (schema?.[key] !== undefined) facts.push(`${label} ${JSON.stringify(schema[key])}`);
    }
    return facts.join(", ");
  }

  function table(heads, rows) {
    const cells = (row, tag) => make("tr", {}, ...row.map((cell) => make(tag, tag === "th" ? { scope: "col" } : {}, cell ?? "")));
    return make("div", { class: "scroll" },
      make("table", {}, make("thead", {}, cells(heads, "th")), make("tbody", {}, ...rows.map((row) => cells(row, "td")))));
  }

  function fields(schema) {
    const resolved = resolve(schema);
    const target = resolved.type === "array" ? resolve(resolved.items) : resolved;
    const properties = Object.entries(target.properties ?? {});
    if (!properties.length) return null;
    const required = new Set(target.required ?? []);
    return table(["Field", "Type", ""], properties.map(([name, field]) => [
      make("code", {}, name), typeName(field),
      [required.has(name) ? "required" : "", limits(resolve(field)), resolve(field).description ?? ""].filter(Boolean).join(". "),
    ]));
  }

  function example(schema, depth = 0) {
    const resolved = resolve(schema);
    if (resolved.example !== undefined) return resolved.example;
    if (resolved.default !== undefined) return resolved.default;
    if (resolved.enum) return resolved.enum[0];
    const type = [].concat(resolved.type ?? "object")[0];
    if (type === "array") return depth > 3 ? [] : [example(resolved.items, depth + 1)];
    if (type === "object") {
      const names = resolved.required ?? Object.keys(resolved.properties ?? {});
      return Object.fromEntries(depth > 3 ? [] : names.map((name) => [name, example(resolved.properties?.[name], depth + 1)]));
    }
    return { integer: 1, number: 1, boolean: true, null: null }[type] ?? (resolved.format === "uuid" ? "00000000-0000-0000-0000-000000000000" : "text");
  }

  function quoted(text) {
    return `'${text.replaceAll("'", "'\\''")}'`;
  }

  /** The headers that an operation's first security requirement asks for. */
  function credentials(operation) {
    const first = (operation.security ?? api.security ?? [])[0] ?? {};
    return Object.keys(first).map((name) => {
      const scheme = resolve(api.components?.securitySchemes?.[name]);
      if (scheme.type === "apiKey" && scheme.in === "header") return `${scheme.name}: $API_KEY`;
      return "Authorization: Bearer $TOKEN";
    });
  }

  function curl(verb, path, operation, parameters) {
    const query = parameters.filter((each) => each.in === "query" && each.required).map((each) => `${each.name}=${example(each.schema)}`);
    const address = location.origin + path + (query.length ? `?${query.join("&")}` : "");
    const lines = [`curl -X ${verb.toUpperCase()} ${quoted(address)}`];
    for (const header of credentials(operation)) lines.push(`-H "${header}"`);
    const content = resolve(operation.requestBody).content ?? {};
    const type = Object.keys(content)[0];
    if (type === "application/json") {
      lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(content[type].example ?? example(content[type].schema)))}`);
    } else if (type) {
      for (const [name, value] of Object.entries(example(content[type].schema))) lines.push(`-d ${quoted(`${name}=${value}`)}`);
    }
    return lines.join(" \\\n  ");
  }

  function sample(text) {
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(button.nextSibling);
        button.textContent = "Selected";
      }
    });
    return make("div", { class: "sample" }, button, make("pre", {}, make("code", {}, text)));
  }

  function section(title, ...content) {
    const shown = content.filter(Boolean);
    return shown.length ? [make("h3", {}, title), ...shown] : [];
  }

  function answers(operation) {
    const rows = Object.entries(operation.responses ?? {}).map(([status, answer]) => {
      const resolved = resolve(answer);
      const type = Object.values(resolved.content ?? {})[0];
      return [make("code", {}, status), type ? typeName(type.schema) : "", resolved.description ?? ""];
    });
    const success = Object.entries(operation.responses ?? {}).find(([status]) => status.startsWith("2"));
    const schema = success && Object.values(resolve(success[1]).content ?? {})[0]?.schema;
    return [...section("Answers", table(["Status", "Body", ""], rows)), ...section(`Body of success: ${typeName(schema)}`, schema && fields(schema))];
  }

  function operationBox(verb, path, operation, shared) {
    const parameters = [...shared, ...(operation.parameters ?? [])].map(resolve);
    const body = Object.values(resolve(operation.requestBody).content ?? {})[0];
    const parameterRows = parameters.map((each) => [
      make("code", {}, each.name), `${each.in}, ${typeName(each.schema)}`,
      [each.required ? "required" : "", limits(resolve(each.schema)), each.description ?? ""].filter(Boolean).join(". "),
    ]);
    return make("details", { class: "operation", id: identity(verb, path) },
      make("summary", {}, make("span", { class: "verb", "data-verb": verb }, verb.toUpperCase()),
        make("code", { class: "path" }, path), make("span", { class: "summary" }, operation.summary ?? "")),
      make("div", { class: "operation-body" },
        operation.description ? make("p", {}, operation.description) : null,
        ...section("Try it", sample(curl(verb, path, operation, parameters))),
        ...section("Parameters", parameterRows.length ? table(["Name", "In, type", ""], parameterRows) : null),
        ...section("Body", body ? fields(body.schema) : null),
        ...answers(operation)));
  }

  function identity(verb, path) {
    return `${verb}${path.replace(/[^A-Za-z0-9]+/g, "-")}`;
  }

  function grouped() {
    const groups = new Map((api.tags ?? []).map((tag) => [tag.name, []]));
    for (const [path, item] of Object.entries(api.paths ?? {})) {
      for (const verb of VERBS.filter((each) => item[each])) {
        const tag = item[verb].tags?.[0] ?? "Other";
        if (!groups.has(tag)) groups.set(tag, []);
        groups.get(tag).push({ verb, path, operation: item[verb], shared: item.parameters ?? [] });
      }
    }
    return [...groups].filter(([, operations]) => operations.length);
  }

  function openLinked() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.scrollIntoView();
    }
  }

  try {
    const answer = await fetch(main.dataset.openapi);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    api = await answer.json();
  } catch (error) {
    main.replaceChildren(make("p", { class: "failure" }, `The description could not be read (${error.message}). Load the page again to retry.`));
    return;
  }
  main.replaceChildren(...(api.info?.description ? [make("p", {}, api.info.description)] : []));
  for (const [tag, operations] of grouped()) {
    main.append(make("h2", {}, tag));
    const links = operations.map(({ verb, path }) => make("li", {}, make("a", { href: `#${identity(verb, path)}` }, `${verb.toUpperCase()} ${path}`)));
    nav.append(make("h2", {}, tag), make("ul", {}, ...links));
    for (const { verb, path, operation, shared } of operations) main.append(operationBox(verb, path, operation, shared));
  }
  addEventListener("hashchange", openLinked);
  openLinked();
})();
