/** Runs one execution in the interpreter, from its journal where it has one. */
import type { Batch } from '../batch/batch.ts';
import { whenElapsed } from '../deadline.ts';
import type { Cloud, Principal } from '../platform.ts';
import { elapsedMs } from '../steady-time.ts';
import {
  batchSubmitJobSync,
  eachState,
  forInterpreter,
  lambdaInvoke,
  type State,
  type StateMachine,
  waitUntil,
} from './definition.ts';
import {
  beginningOf,
  type Execution,
  type ExecutionStore,
  type Journal,
  type JournalEntry,
} from './journal.ts';
import { checkSize, StateError } from './task-error.ts';
import { invokeFunction, runJob, type TaskParts, wait } from './tasks.ts';

export interface ExecutionParts {
  cloud: Cloud;
  batch: Batch;
  store: ExecutionStore;
  role: Principal;
}

export type Ending =
  | { status: 'SUCCEEDED'; output: unknown }
  | { status: 'FAILED'; error: string; cause: string }
  | { status: 'TIMED_OUT' };

export interface RunningExecution {
  /** Resolves with how it ended; never, once it has been let go of or aborted. */
  ended: Promise<Ending>;
  /** Ends its tasks. */
  abort(): void;
  /** Leaves everything as it is, for the next start. */
  release(): void;
}

/** A task without a time limit has as much as a timer can measure: 24 days. AWS's own default is three years. */
const longestTaskSeconds = 2_147_483;

export async function runExecution(
  parts: ExecutionParts,
  machine: StateMachine,
  execution: Execution,
): Promise<RunningExecution> {
  const { cloud, store } = parts;
  const { ExecutionAbortedError, StateMachine: Interpreter } = await import('aws-local-stepfunctions');
  const controller = new AbortController();
  const journal = store.journal(execution.arn);
  const tasks: TaskParts = { cloud, batch: parts.batch, role: parts.role, signal: controller.signal };
  /** Milliseconds that a state still has. */
  const limits = new Map<string, () => number>();
  const definition = forInterpreter(machine.definition, (name) => {
    const left = (limits.get(name)?.() ?? Number.POSITIVE_INFINITY) / 1000;
    // The interpreter takes 0 for "not given".
    return Math.min(longestTaskSeconds, Math.max(0.001, left));
  });
  const { handlers, pauses } = overrides(machine, definition as unknown as State, tasks, journal, limits);
  const interpreter = new Interpreter(definition, { validationOptions: { noValidate: true } });
  const run = interpreter.run(JSON.parse(execution.input), {
    overrides: { taskResourceLocalHandlers: handlers, retryIntervalOverrides: pauses },
    context: {
      Execution: { Id: execution.arn, Name: execution.name, RoleArn: machine.roleArn },
      StateMachine: { Id: machine.arn, Name: machine.name },
    },
  });

  let isReleased = false;
  const { promise: timedOut, resolve: timeOut } = Promise.withResolvers<Ending>();
  const limitSeconds = machine.definition.TimeoutSeconds as number | undefined;
  const cancelLimit =
    limitSeconds === undefined
      ? () => {}
      : whenElapsed(
          () => limitSeconds * 1000 - elapsedMs(cloud, beginningOf(execution)),
          () => timeOut({ status: 'TIMED_OUT' }),
        );

  const finished = run.result.then(
    (output): Ending => ({ status: 'SUCCEEDED', output }),
    (failure: Error): Ending | Promise<never> => {
      if (isReleased || failure instanceof ExecutionAbortedError) return new Promise<never>(() => {});
      const { name, message } = failure.cause instanceof Error ? failure.cause : failure;
      return { status: 'FAILED', error: name, cause: message };
    },
  );
  const ended = Promise.race([finished, timedOut]).finally(cancelLimit);
  return {
    ended,
    abort() {
      cancelLimit();
      controller.abort();
      run.abort();
    },
    release() {
      isReleased = true;
      cancelLimit();
      run.abort();
    },
  };
}

/** What the interpreter runs in place of AWS's resources, by state. */
function overrides(
  machine: StateMachine,
  definition: State,
  tasks: TaskParts,
  journal: Journal,
  limits: Map<string, () => number>,
) {
  // biome-ignore lint/suspicious/noExplicitAny: the interpreter's JSON values
  const handlers: Record<string, (input: any) => Promise<any>> = {};
  const pauses: Record<string, number> = {};
  const declaredTimeouts = new Map<string, number | undefined>();
  eachState(machine.definition as never, (state, path) =>
    declaredTimeouts.set(path.at(-1) ?? '', state.TimeoutSeconds),
  );
  eachState(definition as never, (state, path) => {
    const name = path.at(-1) ?? '';
    if (state.Retry) {
      // Pauses before retries that have been made already are not made again.
      Object.defineProperty(pauses, name, { get: () => (journal.isReplaying(name) ? 0 : undefined) });
    }
    if (state.Type !== 'Task') return;
    handlers[name] = (input) => {
      const begun = { wall: tasks.cloud.now().getTime(), steady: tasks.cloud.steady() };
      const entry = journal.next(name, path.length > 1, input, begun);
      const limitSeconds = declaredTimeouts.get(name);
      if (limitSeconds === undefined) limits.delete(name);
      else limits.set(name, () => limitSeconds * 1000 - elapsedMs(tasks.cloud, beginningOf(entry.call)));
      return perform(name, state.Resource, input, entry, withDeadline(tasks, limits.get(name)));
    };
  });
  return { handlers, pauses };
}

/** The task's own signal also ends when its time is up, so that a job doesn't outlive the state that waits for it. */
function withDeadline(tasks: TaskParts, leftMs: (() => number) | undefined): TaskParts & { done(): void } {
  if (leftMs === undefined) return { ...tasks, done: () => {} };
  const controller = new AbortController();
  if (leftMs() <= 0) controller.abort();
  const done = whenElapsed(leftMs, () => controller.abort());
  return { ...tasks, signal: AbortSignal.any([tasks.signal, controller.signal]), done };
}

/** Does what the state says and records the outcome, or gives the recorded one. */
async function perform(
  name: string,
  resource: string,
  parameters: unknown,
  entry: JournalEntry,
  tasks: TaskParts & { done(): void },
): Promise<unknown> {
  const { call, save } = entry;
  if (call.outcome === undefined) {
    if (tasks.signal.aborted) return new Promise(() => {});
    const outcome = await attempt(name, resource, parameters, entry, tasks).finally(tasks.done);
    // The execution has ended, or the interpreter is about to end this state by its time-out: nobody waits any more.
    if (tasks.signal.aborted) return new Promise(() => {});
    call.outcome = outcome;
    save();
  } else tasks.done();
  if ('error' in call.outcome) throw new StateError(call.outcome.error, call.outcome.cause);
  return call.outcome.result;
}

async function attempt(
  name: string,
  resource: string,
  parameters: unknown,
  entry: JournalEntry,
  tasks: TaskParts,
): Promise<NonNullable<JournalEntry['call']['outcome']>> {
  try {
    checkSize(parameters, name);
    const result = await act(resource, parameters, entry, tasks);
    checkSize(result, name);
    return { result };
  } catch (error) {
    if (error instanceof StateError) return { error: error.name, cause: error.message };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tasks.cloud.log('states', `${name}: ${message}`);
    return { error: 'States.Runtime', cause: 'Internal error' };
  }
}

function act(resource: string, parameters: unknown, entry: JournalEntry, tasks: TaskParts): Promise<unknown> {
  switch (resource) {
    case lambdaInvoke:
      return invokeFunction(tasks, parameters);
    case batchSubmitJobSync:
      return runJob(tasks, parameters, entry);
    case waitUntil:
      return wait(tasks, parameters, entry);
    default:
      throw new StateError('States.Runtime', `The resource ${resource} is not supported`);
  }
}
