/** ListStateMachines and ListExecutions. */

import { pageOf } from '../paging.ts';
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import type { StateMachine } from './definition.ts';
import type { Execution, ExecutionStore } from './journal.ts';
import { machineArnPattern, readArn, readToken, tokenFor } from './request.ts';

/** The declared machines; AWS's time of creation is that of the deployment. */
export function listStateMachines(call: JsonCall, machines: StateMachine[], deployedAt: number): object {
  const input = new RequestMembers(call.input, 'ValidationException');
  call.authorize('states:ListStateMachines', '*');
  const limit = input.optionalInteger('maxResults', 0, 1000) || 100;
  const token = input.optionalString('nextToken', { min: 1, max: 1024 });
  const invalidToken = () => new AwsError('InvalidToken', `Invalid Token: '${token}'`);
  const { items, nextToken } = pageOf(machines, {
    list: 'machines',
    limit,
    token,
    invalidToken,
  });
  return {
    stateMachines: items.map(({ arn: stateMachineArn, name }) => ({
      stateMachineArn,
      name,
      type: 'STANDARD',
      creationDate: deployedAt / 1000,
    })),
    nextToken,
  };
}

/** What every answer tells of an execution. */
export const summarize = ({
  arn,
  machineArn,
  name,
  status,
  startedAt,
  stoppedAt,
}: Omit<Execution, 'input'>) => ({
  executionArn: arn,
  stateMachineArn: machineArn,
  name,
  status,
  startDate: startedAt / 1000,
  ...(stoppedAt !== undefined && { stopDate: stoppedAt / 1000 }),
});

interface ExecutionLists {
  store: Pick<ExecutionStore, 'list'>;
  /** Throws `StateMachineDoesNotExist`. */
  requireMachine(arn: string): unknown;
}

export function listExecutions(call: JsonCall, { store, requireMachine }: ExecutionLists): object {
  const input = new RequestMembers(call.input, 'ValidationException');
  const machineArn = readArn(input, 'stateMachineArn', machineArnPattern);
  call.authorize('states:ListExecutions', machineArn);
  requireMachine(machineArn);
  const status = input.optionalString('statusFilter', {
    pattern: /^(RUNNING|SUCCEEDED|FAILED|TIMED_OUT|ABORTED|PENDING_REDRIVE)$/,
  });
  const count = input.optionalInteger('maxResults', 0, 1000) || 100;
  const offset = readToken(input.optionalString('nextToken', { min: 1, max: 3096 }), machineArn);
  const found = store.list(machineArn, status, count + 1, offset);
  return {
    executions: found.slice(0, count).map(summarize),
    ...(found.length > count && {
      nextToken: tokenFor(machineArn, offset + count),
    }),
  };
}
