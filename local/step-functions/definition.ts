/** A declared state machine, made ready for the interpreter. */
import type { StateMachineDefinition } from 'aws-local-stepfunctions';

export interface StateMachine {
  name: string;
  arn: string;
  roleArn: string;
  /** As declared. */
  definition: Record<string, unknown>;
}

export const lambdaInvoke = 'arn:aws:states:::lambda:invoke';
export const batchSubmitJobSync = 'arn:aws:states:::batch:submitJob.sync';
/** Not AWS's: a Wait state on its way through the interpreter. */
export const waitUntil = 'wait';

// biome-ignore lint/suspicious/noExplicitAny: states of every type, as their authors wrote them
export type State = Record<string, any>;
type Branch = { StartAt: string; States: Record<string, State> };

/** The state's name and, for a state inside a Map or Parallel state, the states around it. */
export type Path = string[];

/** Every state, nested ones included. */
export function eachState(
  branch: Branch,
  visit: (state: State, path: Path) => void,
  around: Path = [],
): void {
  for (const [name, state] of Object.entries(branch.States)) {
    const path = [...around, name];
    visit(state, path);
    for (const inner of state.Branches ?? []) eachState(inner, visit, path);
    const processor = state.ItemProcessor ?? state.Iterator;
    if (processor) eachState(processor, visit, path);
  }
}

/** Throws an error that says what in the declared properties can't be run here. */
export function readStateMachine(name: string, arn: string, properties: State): StateMachine {
  const problem = (text: string) => new Error(`AWS::StepFunctions::StateMachine ${name}: ${text}`);
  if ((properties.StateMachineType ?? 'STANDARD') !== 'STANDARD')
    throw problem('the embedded cloud supports only the type STANDARD');
  const source = properties.Definition ?? properties.DefinitionString;
  if (source === undefined) throw problem('it requires Definition or DefinitionString');
  const definition =
    typeof source === 'string' ? substituted(source, properties.DefinitionSubstitutions) : source;
  if ((definition.QueryLanguage ?? 'JSONPath') !== 'JSONPath')
    throw problem('the embedded cloud supports only the query language JSONPath');
  eachState(definition as Branch, (state, path) => {
    if (state.QueryLanguage === 'JSONata')
      throw problem(`${path.join('.')}: the embedded cloud supports only the query language JSONPath`);
    if (state.Assign !== undefined)
      throw problem(`${path.join('.')}: the embedded cloud does not support variables (Assign)`);
    if (state.Type === 'Task' && state.Resource !== lambdaInvoke && state.Resource !== batchSubmitJobSync)
      throw problem(`${path.join('.')}: the embedded cloud does not support the resource ${state.Resource}`);
    if (state.HeartbeatSeconds !== undefined)
      throw problem(`${path.join('.')}: the embedded cloud does not support HeartbeatSeconds`);
  });
  return { name, arn, roleArn: String(properties.RoleArn), definition };
}

function substituted(text: string, substitutions: Record<string, unknown> = {}): Record<string, unknown> {
  return JSON.parse(
    text.replace(/\$\{([^}]+)\}/g, (whole, key: string) => String(substitutions[key] ?? whole)),
  );
}

/** Remaining time, in seconds, of the Task state of this name: the interpreter asks when the task begins. */
export type TimeoutOf = (stateName: string) => number;

/**
 * A copy for one execution. The interpreter gives every task 60 seconds unless told otherwise, where AWS gives it
 * more than three years; and it waits from scratch after a restart. So tasks ask for their time, and a Wait state
 * becomes a task that ends when its time has come and passes its input on.
 */
export function forInterpreter(
  definition: Record<string, unknown>,
  timeoutOf: TimeoutOf,
): StateMachineDefinition {
  const copy = structuredClone(definition);
  // The execution's own deadline is kept outside, since it must hold across restarts.
  delete copy.TimeoutSeconds;
  eachState(copy as Branch, (state, path) => {
    const name = path.at(-1) ?? '';
    if (state.Type === 'Wait') replaceWait(state);
    if (state.Type !== 'Task') return;
    if (state.TimeoutSecondsPath !== undefined) return;
    Object.defineProperty(state, 'TimeoutSeconds', {
      enumerable: true,
      get: () => timeoutOf(name),
    });
  });
  return copy as unknown as StateMachineDefinition;
}

function replaceWait(state: State): void {
  const { Seconds, Timestamp, SecondsPath, TimestampPath } = state;
  state.Type = 'Task';
  state.Resource = waitUntil;
  state.Parameters = {
    'input.$': '$',
    ...(Seconds !== undefined && { seconds: Seconds }),
    ...(SecondsPath !== undefined && { 'seconds.$': SecondsPath }),
    ...(Timestamp !== undefined && { timestamp: Timestamp }),
    ...(TimestampPath !== undefined && { 'timestamp.$': TimestampPath }),
  };
  for (const name of ['Seconds', 'Timestamp', 'SecondsPath', 'TimestampPath']) delete state[name];
}
