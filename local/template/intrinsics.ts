/** CloudFormation's intrinsic functions, over whatever a stack's scope resolves. */

/** What a template expression may look up. Each throws where there is nothing. */
export interface Scope {
  ref(id: string): unknown;
  attribute(id: string, name: string): unknown;
  condition(name: string): boolean;
  mapping(map: string, top: string, second: string): unknown;
  importValue(name: string): unknown;
  availabilityZones(region: string): string[];
}

/** `Ref: AWS::NoValue`: whatever holds it drops it. */
export const noValue = Symbol('AWS::NoValue');

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const text = (value: unknown, where: string): string => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new Error(`${where}: expected text, got ${JSON.stringify(value) ?? 'nothing'}`);
};

const list = (value: unknown, where: string): unknown[] => {
  if (Array.isArray(value)) return value;
  throw new Error(`${where}: expected a list, got ${JSON.stringify(value) ?? 'nothing'}`);
};

function substitute(argument: unknown, scope: Scope): string {
  const [template, values] = Array.isArray(argument) ? argument : [argument, {}];
  const known = (values ?? {}) as Record<string, unknown>;
  return text(template, 'Fn::Sub').replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (Object.hasOwn(known, name)) return text(evaluate(known[name], scope), 'Fn::Sub');
    const dot = name.indexOf('.');
    const value = dot < 0 ? scope.ref(name) : scope.attribute(name.slice(0, dot), name.slice(dot + 1));
    return text(value, `Fn::Sub \${${name}}`);
  });
}

function getAtt(argument: unknown, scope: Scope): unknown {
  const [id, ...rest] = typeof argument === 'string' ? argument.split('.') : list(argument, 'Fn::GetAtt');
  const name = rest.map((part) => text(evaluate(part, scope), 'Fn::GetAtt')).join('.');
  return scope.attribute(text(id, 'Fn::GetAtt'), name);
}

/** A condition expression: the name of one, or a function of others. */
export function holds(expression: unknown, scope: Scope): boolean {
  if (typeof expression === 'string') return scope.condition(expression);
  const value = evaluate(expression, scope);
  if (typeof value === 'boolean') return value;
  throw new Error(`not a condition: ${JSON.stringify(expression)}`);
}

function addressBlocks(argument: unknown, scope: Scope): string[] {
  const [block, count, hostBits] = list(evaluate(argument, scope), 'Fn::Cidr');
  const [base = '', prefix = ''] = text(block, 'Fn::Cidr').split('/');
  const start = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** Number(hostBits ?? 8);
  if (Number(count) * size > 2 ** (32 - Number(prefix))) throw new Error('Fn::Cidr: the block is too small');
  return Array.from({ length: Number(count) }, (_, index) => {
    const address = start + index * size;
    const octets = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
    return `${octets.join('.')}/${32 - Number(hostBits ?? 8)}`;
  });
}

const intrinsics: Record<string, Intrinsic> = {
  Ref: (argument, scope) => scope.ref(text(argument, 'Ref')),
  Condition: (argument, scope) => scope.condition(text(argument, 'Condition')),
  'Fn::GetAtt': getAtt,
  'Fn::Sub': substitute,
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = list(argument, 'Fn::Join');
    const values = list(evaluate(parts, scope), 'Fn::Join');
    return values.map((part) => text(part, 'Fn::Join')).join(text(separator, 'Fn::Join'));
  },
  'Fn::Split': (argument, scope) => {
    const [separator, value] = list(argument, 'Fn::Split');
    return text(evaluate(value, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, values] = list(evaluate(argument, scope), 'Fn::Select');
    const chosen = list(values, 'Fn::Select')[Number(index)];
    if (chosen === undefined) throw new Error(`Fn::Select: nothing at ${String(index)}`);
    return chosen;
  },
  'Fn::If': (argument, scope) => {
    const [condition, then, otherwise] = list(argument, 'Fn::If');
    return evaluate(holds(condition, scope) ? then : otherwise, scope);
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = list(evaluate(argument, scope), 'Fn::Equals');
    return String(left) === String(right);
  },
  'Fn::Not': (argument, scope) => !holds(list(argument, 'Fn::Not')[0], scope),
  'Fn::And': (argument, scope) => list(argument, 'Fn::And').every((part) => holds(part, scope)),
  'Fn::Or': (argument, scope) => list(argument, 'Fn::Or').some((part) => holds(part, scope)),
  'Fn::FindInMap': (argument, scope) => {
    const [map, top, second] = list(evaluate(argument, scope), 'Fn::FindInMap');
    return scope.mapping(
      text(map, 'Fn::FindInMap'),
      text(top, 'Fn::FindInMap'),
      text(second, 'Fn::FindInMap'),
    );
  },
  'Fn::ImportValue': (argument, scope) =>
    scope.importValue(text(evaluate(argument, scope), 'Fn::ImportValue')),
  'Fn::GetAZs': (argument, scope) =>
    scope.availabilityZones(text(evaluate(argument, scope) || scope.ref('AWS::Region'), 'Fn::GetAZs')),
  'Fn::Base64': (argument, scope) =>
    Buffer.from(text(evaluate(argument, scope), 'Fn::Base64')).toString('base64'),
  'Fn::Cidr': addressBlocks,
};

/** The value of a template expression; objects and lists are walked. Throws on what it doesn't know. */
export function evaluate(expression: unknown, scope: Scope): unknown {
  if (typeof expression === 'string' && expression.includes('{{resolve:')) {
    throw new Error(`the embedded cloud does not support dynamic references: ${expression}`);
  }
  if (typeof expression !== 'object' || expression === null) return expression;
  if (Array.isArray(expression)) {
    return expression.map((item) => evaluate(item, scope)).filter((item) => item !== noValue);
  }
  const [key = '', ...others] = Object.keys(expression);
  const intrinsic = others.length === 0 ? intrinsics[key] : undefined;
  const argument = (expression as Record<string, unknown>)[key];
  // `Condition` is also the name of a policy statement's field, whose value is an object.
  if (intrinsic && !(key === 'Condition' && typeof argument !== 'string')) return intrinsic(argument, scope);
  if (others.length === 0 && key.startsWith('Fn::'))
    throw new Error(`the embedded cloud does not support the intrinsic function ${key}`);
  const entries = Object.entries(expression).map(([name, value]) => [name, evaluate(value, scope)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== noValue));
}
