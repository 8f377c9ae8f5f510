/** What the state machine sends is what the launcher takes. */
import { expect, it } from 'vitest';
import { taskSchema } from '../../../functions/launcher/task.ts';
import { experimentFlow } from '../../../infra/experiment-flow.ts';

const { States } = experimentFlow({ partition: 'aws', launcherArn: 'launcher' });
const held: Record<string, unknown> = {
  '$.organisation': 'acme',
  '$.experimentId': 'exp_1',
  '$.job': { JobId: 'job-1', Status: 'SUCCEEDED' },
  '$.error': { Error: 'States.TaskFailed', Cause: '{"JobId":"job-1"}' },
};

/** The payload of a state, with what its paths lead to. */
const sent = (payload: object) =>
  Object.fromEntries(
    Object.entries(payload).map(([name, value]) =>
      name.endsWith('.$') ? [name.slice(0, -2), held[value]] : [name, value],
    ),
  );

const work = { organisation: 'acme', experimentId: 'exp_1' };

it.each([
  ['Prepare', { action: 'prepare', ...work }],
  ['Settle', { action: 'settle', ...work, job: held['$.job'] }],
  ['SettleError', { action: 'settle', ...work, error: held['$.error'] }],
] as const)('E16 takes what %s sends', (state, task) => {
  expect(taskSchema.parse(sent(States[state].Parameters.Payload))).toEqual(task);
});

it('refuses what is no task', () => {
  expect(taskSchema.safeParse({ ...work, action: 'launch' }).success).toBe(false);
  expect(taskSchema.safeParse({ ...work, action: 'settle', experimentId: '' }).success).toBe(false);
});
