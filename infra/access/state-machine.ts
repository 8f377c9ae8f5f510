/** What the experiments' state machine may do. */
import type { Names } from '../names.ts';
import type { Access } from './access.ts';
import type { Deployment } from './deployment.ts';
import { describeJobs, terminateJobs } from './work.ts';

export interface ExperimentRunDeployment extends Pick<Deployment, 'arn'> {
  names: Names;
  launcherArn: string;
}

export function experimentRunAccess({ arn, names, launcherArn }: ExperimentRunDeployment): Access[] {
  return [
    { actions: ['lambda:InvokeFunction'], resources: [launcherArn] },
    {
      actions: ['batch:SubmitJob', 'batch:TagResource'],
      resources: [
        arn('batch', `job-definition/${names.prefix}-*`),
        arn('batch', `job-queue/${names.prefix}-*`),
        arn('batch', 'job/*'),
      ],
      wildcard:
        "Definitions are registered at run time and jobs get Batch's ids; queues are the stage's own.",
    },
    describeJobs,
    terminateJobs({ arn }),
    {
      // The rule by which Step Functions itself learns that a job has ended; its name is AWS's.
      actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
      resources: [arn('events', 'rule/StepFunctionsGetEventsForBatchJobsRule')],
    },
    {
      actions: [
        'logs:CreateLogDelivery',
        'logs:GetLogDelivery',
        'logs:UpdateLogDelivery',
        'logs:DeleteLogDelivery',
        'logs:ListLogDeliveries',
        'logs:PutResourcePolicy',
        'logs:DescribeResourcePolicies',
        'logs:DescribeLogGroups',
      ],
      resources: ['*'],
      wildcard: 'Log deliveries have no resource.',
    },
    {
      actions: [
        'xray:PutTraceSegments',
        'xray:PutTelemetryRecords',
        'xray:GetSamplingRules',
        'xray:GetSamplingTargets',
      ],
      resources: ['*'],
      wildcard: 'X-Ray has no resource for traces.',
    },
  ];
}
