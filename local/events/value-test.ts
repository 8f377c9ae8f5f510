/** One element of a pattern's array: a value, or a comparison such as `{"prefix": "a"}`. */
import { BlockList, isIP } from 'node:net';

/** Gets one scalar of the event, or undefined where the field is missing. */
export type ValueTest = (value: unknown) => boolean;
type Invalid = (reason: string) => Error;

const text = (test: (value: string) => boolean): ValueTest => {
  return (value) => typeof value === 'string' && test(value);
};

function wildcard(pattern: string): ValueTest {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  const expression = new RegExp(`^${source}$`, 's');
  return text((value) => expression.test(value));
}

const ignoringCase = (wanted: string): ValueTest => {
  return text((value) => value.toLowerCase() === wanted.toLowerCase());
};

function affix(kind: 'prefix' | 'suffix', operand: unknown, invalid: Invalid): ValueTest {
  const anyCase = typeof operand === 'object' && operand !== null;
  const wanted = anyCase ? (operand as Record<string, unknown>)['equals-ignore-case'] : operand;
  if (typeof wanted !== 'string') throw invalid(`${kind} match pattern must be a string`);
  const folded = (value: string): string => (anyCase ? value.toLowerCase() : value);
  return text((value) =>
    kind === 'prefix' ? folded(value).startsWith(folded(wanted)) : folded(value).endsWith(folded(wanted)),
  );
}

function numeric(operand: unknown, invalid: Invalid): ValueTest {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0)
    throw invalid('Invalid numeric match: expected pairs of operator and number');
  const comparisons: Record<string, (value: number, limit: number) => boolean> = {
    '=': (value, limit) => value === limit,
    '<': (value, limit) => value < limit,
    '<=': (value, limit) => value <= limit,
    '>': (value, limit) => value > limit,
    '>=': (value, limit) => value >= limit,
  };
  const tests = Array.from({ length: operand.length / 2 }, (_, index) => {
    const compare = comparisons[String(operand[index * 2])];
    const limit: unknown = operand[index * 2 + 1];
    if (!compare || typeof limit !== 'number')
      throw invalid(`Unrecognized numeric range operator: ${operand[index * 2]}`);
    return (value: number) => compare(value, limit);
  });
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function cidr(operand: unknown, invalid: Invalid): ValueTest {
  const [network = '', bits] = String(operand).split('/');
  const family = isIP(network);
  if (family === 0 || bits === undefined) throw invalid(`Malformed CIDR, one '/' required: ${operand}`);
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return text((value) => isIP(value) !== 0 && list.check(value, isIP(value) === 4 ? 'ipv4' : 'ipv6'));
}

function anythingBut(name: string, operand: unknown, invalid: Invalid): ValueTest {
  const operands = [operand].flat();
  if (operands.length === 0) throw invalid('Empty arrays are not allowed');
  const tests = operands.map((one) => {
    if (typeof one !== 'object' || one === null) return compileValue(name, one, invalid);
    const [[kind, inner] = ['', undefined]] = Object.entries(one);
    if (!['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(kind))
      throw invalid(`Unsupported anything-but pattern: ${kind}`);
    const inners = [inner].flat().map((each) => compileValue(name, { [kind]: each }, invalid));
    return (value: unknown) => inners.some((test) => test(value));
  });
  return (value) => value !== undefined && !tests.some((test) => test(value));
}

/** Compiles one element for the field `name`; throws `invalid(reason)` on unknown comparisons. */
export function compileValue(name: string, wanted: unknown, invalid: Invalid): ValueTest {
  if (typeof wanted !== 'object' || wanted === null) return (value) => value === wanted;
  if (Array.isArray(wanted)) throw invalid(`"${name}" must not hold an array in an array`);
  const [[kind, operand] = ['', undefined], ...more] = Object.entries(wanted);
  if (more.length > 0) throw invalid('Only one key allowed in match expression');
  switch (kind) {
    case 'exists':
      if (typeof operand !== 'boolean') throw invalid('exists match pattern must be either true or false.');
      return (value) => (value !== undefined) === operand;
    case 'prefix':
    case 'suffix':
      return affix(kind, operand, invalid);
    case 'equals-ignore-case':
      return ignoringCase(String(operand));
    case 'wildcard':
      return wildcard(String(operand));
    case 'anything-but':
      return anythingBut(name, operand, invalid);
    case 'numeric':
      return numeric(operand, invalid);
    case 'cidr':
      return cidr(operand, invalid);
    default:
      throw invalid(`Unrecognized match type ${kind}`);
  }
}
