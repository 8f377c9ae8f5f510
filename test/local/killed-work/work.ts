/** The work that is interrupted: the same before and after the kill. */
import type { Batch } from '../../../local/batch/batch.ts';
import { createStepFunctions } from '../../../local/step-functions/step-functions.ts';
import { logGroup, queue, untilReleased } from '../batch/place.ts';
import type { CloudWithEndpoint } from '../cloud-with-endpoint.ts';

export const buildPhases = {
  build: { commands: ['setsid sleep 7234.5 & sleep 7234.6 & echo under way; wait'] },
};

/** Twenty numbered lines, half of them once it is released. */
export const jobScript = `for n in $(seq 1 20); do echo line $n; [ $n != 10 ] || ${untilReleased}; done; exit 7`;

export const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:experiments';
export const launcherArn = 'arn:aws:lambda:us-east-1:000000000000:function:launcher';

/** Prepare (counted), a job that fails, and a look at how it did. */
export const stateMachines = (definition: string) => ({
  StartAt: 'Prepare',
  States: {
    Prepare: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: launcherArn, Payload: { action: 'prepare' } },
      ResultPath: '$.prepared',
      Next: 'Run',
    },
    Run: {
      Type: 'Task',
      Resource: 'arn:aws:states:::batch:submitJob.sync',
      Parameters: { JobName: 'job', JobQueue: queue, JobDefinition: definition },
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Settle' }],
      Next: 'Settle',
    },
    Settle: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: launcherArn, Payload: { action: 'settle', 'error.$': '$.error' } },
      ResultSelector: { 'settled.$': '$.Payload' },
      End: true,
    },
  },
});

/** Calls of the launcher by this process. */
export const launcherCalls: unknown[] = [];

export async function withStateMachines(
  cloud: CloudWithEndpoint,
  batch: Batch,
  definition: object,
): Promise<void> {
  cloud.functions.set(launcherArn, (payload) => {
    launcherCalls.push(payload);
    return { payload: 'done' };
  });
  const service = createStepFunctions(cloud, { batch });
  cloud.serve(service);
  await service.deploy?.([
    {
      stack: 's',
      logicalId: 'Experiments',
      type: 'AWS::StepFunctions::StateMachine',
      properties: {
        RoleArn: 'arn:aws:iam::000000000000:role/state-machine',
        DefinitionString: JSON.stringify(definition),
      },
      physicalId: machineArn,
      attributes: {},
    },
  ]);
  await service.start?.();
}

/** The log of a job's only attempt. */
export function logOf(cloud: CloudWithEndpoint, jobId: string): string[] {
  const row = cloud.db.prepare('SELECT job FROM batch_jobs WHERE id = ?').get(jobId);
  const job = JSON.parse(String(row?.job)) as {
    current?: { logStream: string };
    attempts: { logStream: string }[];
  };
  return cloud.lines(logGroup, (job.current ?? job.attempts[0])?.logStream ?? '');
}
