// Node wants `with {type: "json"}` at an import of JSON; @actions/languageservice leaves it out.
export async function load(url, context, next) {
  const attributes = url.endsWith(".json") ? { type: "json" } : {};
  return next(url, { ...context, importAttributes: { ...context.importAttributes, ...attributes } });
}
