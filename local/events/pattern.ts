/** Event patterns, compiled once and matched as EventBridge matches them. */
import { AwsError } from '../platform.ts';
import { compileValue, type ValueTest } from './value-test.ts';

export type EventTest = (event: unknown) => boolean;

const invalid = (reason: string): AwsError =>
  new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Compiles a pattern: every named field must match, each by any of its values; `$or` by any of its patterns.
 * Throws `InvalidEventPatternException` on what EventBridge would refuse.
 */
export function compilePattern(pattern: unknown): EventTest {
  if (!isObject(pattern)) throw invalid('Filter is not an object');
  if (Object.keys(pattern).length === 0) throw invalid('Empty objects are not allowed');
  const tests = Object.entries(pattern).map(([name, wanted]) =>
    name === '$or' ? compileAlternatives(wanted) : compileField(name, wanted),
  );
  return (event) => isObject(event) && tests.every((test) => test(event));
}

function compileAlternatives(alternatives: unknown): EventTest {
  if (!Array.isArray(alternatives) || alternatives.length < 2)
    throw invalid('"$or" must be an array of at least two patterns');
  const tests = alternatives.map(compilePattern);
  return (event) => tests.some((test) => test(event));
}

function compileField(name: string, wanted: unknown): (event: Record<string, unknown>) => boolean {
  if (isObject(wanted)) {
    const test = compilePattern(wanted);
    // An object that isn't there can still satisfy a pattern made of `exists: false`.
    return (event) => {
      const value = event[name];
      return Array.isArray(value) ? value.some(test) : test(value ?? {});
    };
  }
  if (!Array.isArray(wanted)) throw invalid(`"${name}" must be an object or an array`);
  if (wanted.length === 0) throw invalid('Empty arrays are not allowed');
  const tests: ValueTest[] = wanted.map((one) => compileValue(name, one, invalid));
  return (event) => {
    const value = event[name];
    // Objects are no values: only what lies in them can be matched.
    const values = value === undefined || isObject(value) ? [] : [value].flat();
    return tests.some((test) => (values.length === 0 ? test(undefined) : values.some(test)));
  };
}
