/** Policy documents: parsed once, evaluated for every call as IAM does. */
import { type Condition, type Context, checkOperator, conditionHolds, fillVariables } from './conditions.ts';
import { matches } from './patterns.ts';

export interface Statement {
  effect: 'Allow' | 'Deny';
  /** `Principal` by kind (`Service`, `AWS`, `Federated`); only in trust and resource policies. */
  principals?: Record<string, string[]>;
  actions: string[];
  exceptActions: boolean;
  resources: string[];
  exceptResources: boolean;
  conditions: Condition[];
}

export interface AccessRequest {
  action: string;
  resource: string;
  context: Context;
}

interface StatementDocument {
  Effect?: unknown;
  Principal?: '*' | Record<string, string | string[]>;
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, unknown>>;
}

const known = new Set([
  'Sid',
  'Effect',
  'Principal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

function parseConditions(block: StatementDocument['Condition'] = {}): Condition[] {
  return Object.entries(block).flatMap(([operator, keys]) => {
    checkOperator(operator);
    return Object.entries(keys).map(([key, values]) => ({
      operator,
      key,
      values: [values].flat().map(String),
    }));
  });
}

function parseStatement(source: StatementDocument): Statement {
  const unknown = Object.keys(source).find((field) => !known.has(field));
  if (unknown) throw new Error(`the embedded cloud does not support the statement element ${unknown}`);
  if (source.Effect !== 'Allow' && source.Effect !== 'Deny') {
    throw new Error(`a statement's Effect must be Allow or Deny, not ${JSON.stringify(source.Effect)}`);
  }
  const principal = source.Principal === '*' ? { AWS: '*' } : source.Principal;
  return {
    effect: source.Effect,
    principals:
      principal &&
      Object.fromEntries(Object.entries(principal).map(([kind, names]) => [kind, [names].flat()])),
    actions: [source.Action ?? source.NotAction ?? []].flat(),
    exceptActions: source.NotAction !== undefined,
    resources: [source.Resource ?? source.NotResource ?? '*'].flat(),
    exceptResources: source.NotResource !== undefined,
    conditions: parseConditions(source.Condition),
  };
}

/**
 * @param document a policy document with its references resolved
 * @param owner whose policy it is, for the error
 * @throws Error on anything that isn't understood, since guessing would be kinder than AWS
 */
export function parsePolicy(document: unknown, owner: string): Statement[] {
  try {
    const { Statement: statements } = document as { Statement: StatementDocument | StatementDocument[] };
    return [statements].flat().map(parseStatement);
  } catch (error) {
    throw new Error(`policy of ${owner}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function applies(statement: Statement, { action, resource, context }: AccessRequest): boolean {
  const named = statement.actions.some((pattern) => matches(pattern, action, { ignoreCase: true }));
  if (named === statement.exceptActions) return false;
  const found = statement.resources.some((pattern) => {
    const filled = fillVariables(pattern, context);
    return filled !== undefined && matches(filled, resource);
  });
  if (found === statement.exceptResources) return false;
  return statement.conditions.every((condition) => conditionHolds(condition, context));
}

/** `Deny` beats `Allow`; undefined when no statement applies, which denies too. */
export function evaluatePolicy(
  statements: Statement[],
  request: AccessRequest,
): 'Allow' | 'Deny' | undefined {
  let answer: 'Allow' | undefined;
  for (const statement of statements) {
    if (!applies(statement, request)) continue;
    if (statement.effect === 'Deny') return 'Deny';
    answer = 'Allow';
  }
  return answer;
}

/** The statements of a trust or resource policy that name this principal, by kind (`Service`, `AWS`) and name. */
export function statementsFor(
  statements: Statement[],
  kind: 'Service' | 'AWS',
  names: string[],
): Statement[] {
  return statements.filter(({ principals = {} }) => {
    const admitted = principals[kind] ?? [];
    return admitted.includes('*') || names.some((name) => admitted.includes(name));
  });
}
