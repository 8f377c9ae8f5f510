/**
 * Step Functions spells the members of AWS's structures with a capital letter, and writes them in the order of their
 * names, which shows where a text is cut; keys of maps are the user's own.
 */

/** Members of Batch's structures that are maps. */
const maps = new Set(['tags', 'parameters', 'options']);

export const toPascalCase = (value: unknown): unknown =>
  rename(value, (name) => name.charAt(0).toUpperCase() + name.slice(1));
export const toCamelCase = (value: unknown): unknown =>
  rename(value, (name) => name.charAt(0).toLowerCase() + name.slice(1));

function rename(value: unknown, spell: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => rename(one, spell));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [
        spell(name),
        maps.has(name.charAt(0).toLowerCase() + name.slice(1)) ? inner : rename(inner, spell),
      ]),
  );
}
