/** Policy conditions: AWS's operators over the request's context. */
import { matches } from './patterns.ts';

export type Context = Record<string, string | string[]>;

/** One line of a `Condition` block. */
export interface Condition {
  operator: string;
  key: string;
  values: string[];
}

type Comparison = (actual: string, wanted: string) => boolean;

const number = (compare: (actual: number, wanted: number) => boolean): Comparison => {
  return (actual, wanted) => compare(Number(actual), Number(wanted));
};
const date = (compare: (actual: number, wanted: number) => boolean): Comparison => {
  const instant = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));
  return (actual, wanted) => compare(instant(actual), instant(wanted));
};

const comparisons: Record<string, Comparison> = {
  StringEquals: (actual, wanted) => actual === wanted,
  StringEqualsIgnoreCase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  StringLike: (actual, wanted) => matches(wanted, actual),
  ArnEquals: (actual, wanted) => matches(wanted, actual),
  ArnLike: (actual, wanted) => matches(wanted, actual),
  Bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  NumericEquals: number((actual, wanted) => actual === wanted),
  NumericLessThan: number((actual, wanted) => actual < wanted),
  NumericLessThanEquals: number((actual, wanted) => actual <= wanted),
  NumericGreaterThan: number((actual, wanted) => actual > wanted),
  NumericGreaterThanEquals: number((actual, wanted) => actual >= wanted),
  DateLessThan: date((actual, wanted) => actual < wanted),
  DateLessThanEquals: date((actual, wanted) => actual <= wanted),
  DateGreaterThan: date((actual, wanted) => actual > wanted),
  DateGreaterThanEquals: date((actual, wanted) => actual >= wanted),
};

/** Operators that say no to what their counterpart says yes to; true where the key is missing. */
const negations: Record<string, string> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
};

interface Operator {
  quantifier?: 'ForAllValues' | 'ForAnyValue';
  name: string;
  ifExists: boolean;
}

function parseOperator(text: string): Operator {
  const [, quantifier, name = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(text) ?? [];
  return { quantifier: quantifier as Operator['quantifier'], name, ifExists: ifExists !== undefined };
}

/** @throws Error when the operator isn't one of IAM's that are understood here */
export function checkOperator(text: string): void {
  const { name } = parseOperator(text);
  if (name !== 'Null' && !comparisons[name] && !negations[name]) {
    throw new Error(`the embedded cloud does not support the condition operator ${text}`);
  }
}

function valuesOf(context: Context, key: string): string[] | undefined {
  const exact = context[key];
  const wanted = key.toLowerCase();
  const found = exact ?? Object.entries(context).find(([name]) => name.toLowerCase() === wanted)?.[1];
  return found === undefined ? undefined : [found].flat();
}

/** Puts the request's values where a policy has `${aws:PrincipalArn}` and the like; a missing one fits nothing. */
export function fillVariables(text: string, context: Context): string | undefined {
  if (!text.includes('${')) return text;
  let missing = false;
  const filled = text.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
    if (name === '*' || name === '?' || name === '$') return name;
    const [value] = valuesOf(context, name) ?? [];
    missing ||= value === undefined;
    return value ?? '';
  });
  return missing ? undefined : filled;
}

/** Whether one condition holds for the request. */
export function conditionHolds({ operator, key, values }: Condition, context: Context): boolean {
  const { quantifier, name, ifExists } = parseOperator(operator);
  const actual = valuesOf(context, key);
  if (name === 'Null')
    return values.some((wanted) => (wanted.toLowerCase() === 'true') === (actual === undefined));
  const negated = negations[name];
  const compare = comparisons[negated ?? name];
  if (!compare) throw new Error(`the embedded cloud does not support the condition operator ${operator}`);
  if (actual === undefined) return ifExists || negated !== undefined || quantifier === 'ForAllValues';
  const wanted = values.map((value) => fillVariables(value, context)).filter((value) => value !== undefined);
  const fits = (value: string) => wanted.some((one) => compare(value, one)) !== (negated !== undefined);
  return quantifier === 'ForAllValues' ? actual.every(fits) : actual.some(fits);
}
