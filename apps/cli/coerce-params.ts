/** JSON Schema of a parameter, as far as it matters here. */
type ParamSchema = Readonly<Record<string, unknown>>;

/**
 * Values of `--param name=value` in the types that the pipeline declares: text stays text for a string,
 * everything else is read as JSON where it is JSON. A name that is not declared is passed on; the check that
 * follows names it with "did you mean".
 */
export function coerceParams(
  given: Readonly<Record<string, string>>,
  declared: Readonly<Record<string, ParamSchema>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => {
      const schema = Object.hasOwn(declared, name) ? declared[name] : undefined;
      return [name, schema?.type === 'string' ? text : jsonOrText(text)];
    }),
  );
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // `--param region=eu`: a word, not JSON.
  }
}
