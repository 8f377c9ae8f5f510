/** The query as it was sent. The gateway's own reading of it joins repeated parameters with commas. */
import { unknownNames } from '../text/wording.ts';
import type { FieldError } from './field-errors.ts';

/** Far above what any operation takes. */
const mostParameters = 100;

/** The parameters by name, and what is wrong with the query whatever the operation: each may be given once. */
export function parseQuery(rawQuery: string): { query: Record<string, string>; errors: FieldError[] } {
  const query: Record<string, string> = {};
  const errors: FieldError[] = [];
  if (!isUtf8(rawQuery)) errors.push({ pointer: '?', message: 'must be percent-encoded UTF-8' });
  const parameters = [...new URLSearchParams(rawQuery)];
  if (parameters.length > mostParameters)
    errors.push({ pointer: '?', message: `must have at most ${mostParameters} parameters` });
  const repeated = new Set<string>();
  for (const [name, value] of parameters.slice(0, mostParameters)) {
    // An object doesn't hand this name on, so no schema would see it.
    if (name === '__proto__')
      errors.push({ pointer: `?${name}`, message: unknownNames([name], [], 'parameter') });
    else if (Object.hasOwn(query, name)) repeated.add(name);
    else query[name] = value;
  }
  for (const name of repeated) errors.push({ pointer: `?${name}`, message: 'must be given only once' });
  return { query, errors };
}

function isUtf8(rawQuery: string): boolean {
  try {
    decodeURIComponent(rawQuery);
    return true;
  } catch {
    return false;
  }
}
