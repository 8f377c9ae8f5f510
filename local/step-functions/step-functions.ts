/** Step Functions: the declared state machines, interpreted, each step journalled. */
import { randomUUID } from 'node:crypto';
import type { Batch } from '../batch/batch.ts';
import { callLimiter } from '../call-limiter.ts';
import { AwsError, type Cloud, type Principal, type Service } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { generatedName } from '../template/names.ts';
import { transaction } from '../transaction.ts';
import { batchSubmitJobSync, eachState, readStateMachine, type StateMachine } from './definition.ts';
import { type Ending, type RunningExecution, runExecution } from './execution.ts';
import { createExecutionStore, type Execution, type ExecutionStatus } from './journal.ts';
import { listExecutions, listStateMachines, summarize } from './lists.ts';
import { executionArnPattern, machineArnPattern, readArn, requireJson } from './request.ts';
import { payloadLimitBytes } from './task-error.ts';

export interface StepFunctionsParts {
  batch: Batch;
}

/** What AWS lets nobody use in a name: whitespace, brackets, wildcards, other special and control characters. */
const namePattern = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\uFFFE\uFFFF]{1,80}$/u;

/** So long executions are kept, and their names taken. */
const keptDays = 90;

/** AWS's sustained rate per account in us-east-1. */
const startsPerSecond = 300;

/** Rule by which Step Functions learns of jobs that end; the role must be allowed to make it. */
const managedRule = 'StepFunctionsGetEventsForBatchJobsRule';

export function createStepFunctions(cloud: Cloud, { batch }: StepFunctionsParts): Service {
  const store = createExecutionStore(cloud.db);
  const limitStarts = callLimiter(startsPerSecond, () => cloud.steady().ms);
  const machines = new Map<string, StateMachine>();
  const roles = new Map<string, Principal>();
  const running = new Map<string, { execution: Execution; run: Promise<RunningExecution> }>();
  const arn = (resource: string) => `arn:aws:states:${cloud.region}:${cloud.accountId}:${resource}`;

  /** The state machine's role; throws unless Step Functions may assume it. */
  const roleOf = (machine: StateMachine): Principal => {
    const known = roles.get(machine.arn);
    if (known) return known;
    const { accessKeyId } = cloud.issueCredentials(
      machine.roleArn,
      'states.amazonaws.com',
      machine.name.slice(0, 64),
    );
    const principal = cloud.principalOf(accessKeyId);
    if (!principal) throw new Error(`The credentials of ${machine.roleArn} have no principal`);
    roles.set(machine.arn, principal);
    return principal;
  };

  const end = (execution: Execution, status: ExecutionStatus, more: Partial<Execution> = {}) => {
    Object.assign(execution, { status, stoppedAt: cloud.now().getTime(), ...more });
    transaction(cloud.db, () => {
      store.save(execution);
      store.forgetCalls(execution.arn);
      publish(cloud, execution);
    });
    running.delete(execution.arn);
  };

  const begin = (machine: StateMachine, execution: Execution) => {
    const run = runExecution({ cloud, batch, store, role: roleOf(machine) }, machine, execution);
    running.set(execution.arn, { execution, run });
    run
      .then(async (started) => {
        const ending = await started.ended;
        if (execution.status !== 'RUNNING') return;
        if (ending.status === 'TIMED_OUT') started.abort();
        end(execution, ...outcomeOf(ending));
      })
      .catch((error: unknown) => {
        cloud.log('states', `${execution.arn}: ${error instanceof Error ? error.stack : String(error)}`);
        end(execution, 'FAILED', { error: 'States.Runtime', cause: 'Internal error' });
      });
  };

  let deployedAt = 0;

  const requireMachine = (machineArn: string): StateMachine => {
    const machine = machines.get(machineArn);
    if (!machine)
      throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${machineArn}'`);
    return machine;
  };
  const requireExecution = (executionArn: string): Execution => {
    const execution = running.get(executionArn)?.execution ?? store.get(executionArn);
    if (!execution)
      throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    return execution;
  };

  return {
    signingName: 'states',
    resourceTypes: {
      'AWS::StepFunctions::StateMachine': {
        physicalId: (declared) =>
          arn(`stateMachine:${declared.properties?.StateMachineName ?? generatedName(declared, 80)}`),
        attributes: ({ physicalId }) => ({ Arn: physicalId, Name: physicalId.split(':').at(-1) ?? '' }),
      },
    },
    async deploy(resources) {
      deployedAt = cloud.now().getTime();
      for (const { physicalId, properties } of resources)
        machines.set(
          physicalId,
          readStateMachine(physicalId.split(':').at(-1) ?? '', physicalId, properties),
        );
    },
    async start() {
      store.forgetEndedBefore(cloud.now().getTime() - keptDays * 24 * 3_600_000);
      for (const machine of machines.values()) checkRole(cloud, machine, roleOf(machine));
      for (const execution of store.running()) {
        const machine = machines.get(execution.machineArn);
        if (machine) begin(machine, execution);
        else end(execution, 'ABORTED');
      }
      // The interpreter takes a moment to load: now rather than in the first execution.
      void import('aws-local-stepfunctions');
    },
    async stop() {
      for (const { run } of running.values()) (await run).release();
    },
    operations: {
      StartExecution(call) {
        const input = new RequestMembers(call.input, 'ValidationException');
        const machineArn = readArn(input, 'stateMachineArn', machineArnPattern);
        call.authorize('states:StartExecution', machineArn);
        limitStarts();
        const machine = requireMachine(machineArn);
        const name = input.optionalString('name', { max: 80 }) ?? randomUUID();
        if (!namePattern.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
        const text = input.optionalString('input', { maxBytes: payloadLimitBytes }) ?? '{}';
        requireJson(text);
        const executionArn = arn(`execution:${machine.name}:${name}`);
        const earlier = running.get(executionArn)?.execution ?? store.get(executionArn);
        if (earlier) {
          // The same request again is the same execution, but only while it runs.
          if (earlier.status === 'RUNNING' && earlier.input === text)
            return { executionArn, startDate: earlier.startedAt / 1000 };
          throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
        }
        const execution: Execution = {
          arn: executionArn,
          machineArn,
          name,
          input: text,
          status: 'RUNNING',
          startedAt: cloud.now().getTime(),
          startedSteady: cloud.steady(),
        };
        transaction(cloud.db, () => {
          store.insert(execution);
          publish(cloud, execution);
        });
        begin(machine, execution);
        return { executionArn, startDate: execution.startedAt / 1000 };
      },

      DescribeExecution(call) {
        const executionArn = readArn(
          new RequestMembers(call.input, 'ValidationException'),
          'executionArn',
          executionArnPattern,
        );
        call.authorize('states:DescribeExecution', executionArn);
        const { input, output, error, cause, ...execution } = requireExecution(executionArn);
        return {
          ...summarize(execution),
          input,
          inputDetails: { included: true },
          ...(output !== undefined && { output, outputDetails: { included: true } }),
          ...(error !== undefined && { error }),
          ...(cause !== undefined && { cause }),
          redriveCount: 0,
          redriveStatus: 'NOT_REDRIVABLE',
        };
      },

      async StopExecution(call) {
        const input = new RequestMembers(call.input, 'ValidationException');
        const executionArn = readArn(input, 'executionArn', executionArnPattern);
        call.authorize('states:StopExecution', executionArn);
        const error = input.optionalString('error', { max: 256 });
        const cause = input.optionalString('cause', { max: 32_768 });
        const execution = requireExecution(executionArn);
        const run = running.get(executionArn)?.run;
        if (execution.status === 'RUNNING') {
          end(execution, 'ABORTED', {
            ...(error !== undefined && { error }),
            ...(cause !== undefined && { cause }),
          });
          (await run)?.abort();
        }
        return { stopDate: (execution.stoppedAt ?? cloud.now().getTime()) / 1000 };
      },

      ListStateMachines: (call) => listStateMachines(call, [...machines.values()], deployedAt),
      ListExecutions: (call) => listExecutions(call, { store, requireMachine }),
    },
  };
}

/** What AWS checks when a state machine is created. Throws an error that fails the deployment. */
function checkRole(cloud: Cloud, machine: StateMachine, role: Principal): void {
  let runsJobs = false;
  eachState(machine.definition as never, (state) => {
    runsJobs ||= state.Resource === batchSubmitJobSync;
  });
  if (!runsJobs) return;
  const rule = `arn:aws:events:${cloud.region}:${cloud.accountId}:rule/${managedRule}`;
  for (const action of ['events:PutRule', 'events:PutTargets', 'events:DescribeRule']) {
    try {
      cloud.authorize(role, action, rule);
    } catch (error) {
      throw new Error(
        `${machine.name}: '${machine.roleArn}' is not authorized to create managed-rule: ${(error as Error).message}`,
      );
    }
  }
}

function outcomeOf(ending: Ending): [ExecutionStatus, Partial<Execution>] {
  if (ending.status === 'SUCCEEDED') return ['SUCCEEDED', { output: JSON.stringify(ending.output) }];
  if (ending.status === 'FAILED') return ['FAILED', { error: ending.error, cause: ending.cause }];
  return ['TIMED_OUT', {}];
}

function publish(cloud: Cloud, execution: Execution): void {
  const { input, output, error, cause } = execution;
  const { startDate: _, stopDate: __, ...identity } = { stopDate: 0, ...summarize(execution) };
  cloud.publish({
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
    resources: [execution.arn],
    detail: {
      ...identity,
      startDate: execution.startedAt,
      stopDate: execution.stoppedAt ?? null,
      input,
      output: output ?? null,
      error: error ?? null,
      cause: cause ?? null,
    },
  });
}
