/** IAM's wildcards: `*` any run of characters, `?` exactly one. */

const compiled = new Map<string, RegExp>();

/** Whether `value` fits `pattern`. ARNs and names are case-sensitive, actions aren't. */
export function matches(pattern: string, value: string, options: { ignoreCase?: boolean } = {}): boolean {
  if (pattern === '*') return true;
  const key = options.ignoreCase ? `i${pattern}` : `c${pattern}`;
  let expression = compiled.get(key);
  if (!expression) {
    const source = pattern
      .replace(/[\\^$+.()|[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    expression = new RegExp(`^${source}$`, options.ignoreCase ? 'is' : 's');
    compiled.set(key, expression);
  }
  return expression.test(value);
}
