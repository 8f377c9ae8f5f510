/** The state machine of an experiment, in Amazon States Language (JSONPath). */

/** Errors of Lambda itself, for which the same call may succeed a moment later. */
const lambdaErrors = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/** Errors of submitting. A job that ran and failed is none of them: it is settled, not submitted again. */
const submitErrors = [
  'Batch.ServerException',
  'Batch.ThrottlingException',
  'Batch.TooManyRequestsException',
  'Batch.SdkClientException',
  'Batch.AWSBatchException',
];

const backoff = {
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: 6,
  JitterStrategy: 'FULL',
};

/**
 * `Prepare` → `Submit` → `Settle`, and again `Submit` while the launcher wants another attempt. State keeps
 * `organisation` and `experimentId` throughout; `answer` is the launcher's last one.
 */
export function experimentFlow({ partition, launcherArn }: { partition: string; launcherArn: string }) {
  const launcher = (action: 'prepare' | 'settle', more: Record<string, string> = {}) => ({
    Type: 'Task',
    Resource: `arn:${partition}:states:::lambda:invoke`,
    Parameters: {
      FunctionName: launcherArn,
      Payload: {
        action,
        'organisation.$': '$.organisation',
        'experimentId.$': '$.experimentId',
        ...more,
      },
    },
    ResultSelector: { 'payload.$': '$.Payload' },
    ResultPath: '$.answer',
    // Both actions may be asked again, so whatever the launcher itself threw (a throttled service, mostly) is tried
    // again too, and with as much patience.
    Retry: [
      { ErrorEquals: lambdaErrors, ...backoff },
      { ErrorEquals: ['States.ALL'], ...backoff },
    ],
    Next: 'Decide',
  });
  const onError = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'SettleError' }];
  const submit = (field: string) => `$.answer.payload.submit.${field}`;
  return {
    Comment: 'One experiment: prepare its job, run attempts until the launcher has had enough',
    StartAt: 'Prepare',
    States: {
      Prepare: { ...launcher('prepare'), Catch: onError },
      Decide: {
        Type: 'Choice',
        Choices: [{ Variable: '$.answer.payload.next', StringEquals: 'submit', Next: 'Submit' }],
        Default: 'Ended',
      },
      Submit: {
        Type: 'Task',
        Resource: `arn:${partition}:states:::batch:submitJob.sync`,
        Parameters: {
          'JobName.$': submit('jobName'),
          'JobQueue.$': submit('jobQueue'),
          'JobDefinition.$': submit('jobDefinition'),
          'ShareIdentifier.$': submit('shareIdentifier'),
          // Batch refuses a job for a fair-share queue that has none, here or in its definition.
          SchedulingPriorityOverride: 1,
          Timeout: { 'AttemptDurationSeconds.$': submit('timeoutSeconds') },
          ContainerOverrides: { 'Environment.$': submit('environment') },
          'Tags.$': submit('tags'),
        },
        ResultPath: '$.job',
        Retry: [{ ErrorEquals: submitErrors, ...backoff }],
        Catch: onError,
        Next: 'Settle',
      },
      Settle: launcher('settle', { 'job.$': '$.job' }),
      // Apart from Settle, since a path to what isn't there ends an execution; an earlier attempt's error may remain.
      SettleError: launcher('settle', { 'error.$': '$.error' }),
      Ended: { Type: 'Succeed' },
    },
  };
}
