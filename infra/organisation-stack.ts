import { Stack, Tags } from 'aws-cdk-lib';
import { CfnJobQueue, CfnSchedulingPolicy } from 'aws-cdk-lib/aws-batch';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { arnsOf } from './access/deployment.ts';
import { executionAccess } from './access/jobs.ts';
import { Hosts } from './constructs/hosts.ts';
import { AccessRole, serviceOfAccount } from './constructs/role.ts';
import type { SlipwayStackProps } from './data-stack.ts';

export interface OrganisationStackProps extends SlipwayStackProps {
  organisation: string;
  vpc: IVpc;
  /** Where the stage's organisations share them; left out, this one gets its own. */
  hosts?: Hosts | undefined;
}

/** Reasons for which Batch itself can tell that the job at a queue's head will not be placed. */
const stuckReasons = [
  'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
  'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
  'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
];

/** One organisation's hosts, unless it shares them, its queues and the roles of its jobs. */
export class OrganisationStack extends Stack {
  constructor(scope: Construct, id: string, props: OrganisationStackProps) {
    super(scope, id, props);
    const { stage, names, organisation, vpc } = props;
    const deployment = {
      ...arnsOf(this),
      stage,
      names,
      organisation,
    };

    const task = serviceOfAccount(this, 'ecs-tasks');
    new AccessRole(this, 'Execution', {
      roleName: names.role(organisation, 'execution'),
      description: `Starts jobs of ${organisation}: image, secrets, log`,
      assumedBy: task,
      access: executionAccess(deployment),
    });
    new AccessRole(this, 'Job', {
      roleName: names.role(organisation, 'job'),
      description: `Code of ${organisation}'s experiments`,
      assumedBy: task,
      // Code that needs something of the account gets it by a policy of the operator's.
      access: [],
    });
    const hosts = props.hosts ?? new Hosts(this, 'Hosts', { owner: organisation, stage, names, vpc });

    // From the first deployment: a queue made without one can't be given one later.
    const fairShare = new CfnSchedulingPolicy(this, 'FairShare', {
      name: `${names.prefix}-${organisation}`,
      // Identifiers that nobody listed weigh the same; what was used a day ago counts half.
      fairsharePolicy: { computeReservation: 0, shareDecaySeconds: 86_400 },
    });
    const maxTimeSeconds = Math.min(86_400, Math.max(600, stage.queueTimeoutSeconds));
    for (const queue of stage.queues)
      new CfnJobQueue(this, `Queue-${queue.name}`, {
        jobQueueName: names.queue(organisation, queue.name),
        priority: 1,
        state: 'ENABLED',
        schedulingPolicyArn: fairShare.attrArn,
        computeEnvironmentOrder: queue.environments.map((name, index) => ({
          order: index + 1,
          computeEnvironment: hosts.arnOf(name),
        })),
        jobStateTimeLimitActions: stuckReasons.map((reason) => ({
          reason,
          state: 'RUNNABLE',
          maxTimeSeconds,
          action: 'CANCEL',
        })),
      });
    Tags.of(this).add('slipway:organisation', organisation, {
      // A change of its tags replaces a compute environment, whose name is taken then.
      excludeResourceTypes: ['AWS::Batch::ComputeEnvironment'],
    });
  }
}
