import { Fn } from 'aws-cdk-lib';
import { CfnComputeEnvironment } from 'aws-cdk-lib/aws-batch';
import { CfnLaunchTemplate, type ISecurityGroup, type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Stage } from '../../shared/model/stage.ts';

export interface HostGroupProps {
  name: string;
  environment: Stage['environments'][number];
  vpc: IVpc;
  securityGroup: ISecurityGroup;
  instanceProfileArn: string;
}

/** GPU images have 15 GB and more, and the AMI's own 30 GiB overflow at the second one. */
const rootVolumeGiB = 200;

/** Batch's longest: five days. */
const updateTimeoutMinutes = 7200;

/**
 * A compute environment of one kind of host. The L1 resource, since the L2 one's defaults (isolated subnets in a network
 * without NAT, an older machine image, a broad managed policy) fail only on AWS.
 */
export class HostGroup extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, props: HostGroupProps) {
    super(scope, id);
    const { name, environment, vpc, securityGroup } = props;
    const spot = environment.capacity === 'spot';

    const launchTemplate = new CfnLaunchTemplate(this, 'LaunchTemplate', {
      launchTemplateData: {
        metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
        blockDeviceMappings: [
          {
            deviceName: '/dev/xvda',
            ebs: { volumeType: 'gp3', volumeSize: rootVolumeGiB, encrypted: true, deleteOnTermination: true },
          },
        ],
        userData: Fn.base64(hostUserData),
      },
    });
    const computeEnvironment = new CfnComputeEnvironment(this, 'ComputeEnvironment', {
      computeEnvironmentName: name,
      type: 'MANAGED',
      state: 'ENABLED',
      // Changes are made in place: a replacement would need another name.
      replaceComputeEnvironment: false,
      // A deployment that replaces hosts lets their jobs run on: for as long as Batch allows, since an experiment may name
      // a time-out above the stage's.
      updatePolicy: { terminateJobsOnUpdate: false, jobExecutionTimeoutMinutes: updateTimeoutMinutes },
      computeResources: {
        type: spot ? 'SPOT' : 'EC2',
        allocationStrategy: spot ? 'SPOT_PRICE_CAPACITY_OPTIMIZED' : 'BEST_FIT_PROGRESSIVE',
        minvCpus: 0,
        maxvCpus: environment.maxVcpus,
        instanceTypes: environment.instanceTypes,
        ec2Configuration: [{ imageType: environment.gpu ? 'ECS_AL2023_NVIDIA' : 'ECS_AL2023' }],
        // By name: "private" would be none of these, and "isolated" would have no way to ECR.
        subnets: vpc.selectSubnets({ subnetType: SubnetType.PUBLIC }).subnetIds,
        securityGroupIds: [securityGroup.securityGroupId],
        instanceRole: props.instanceProfileArn,
        launchTemplate: {
          launchTemplateId: launchTemplate.ref,
          version: launchTemplate.attrLatestVersionNumber,
        },
        updateToLatestImageVersion: true,
        tags: { Name: name },
      },
    });
    this.arn = computeEnvironment.attrComputeEnvironmentArn;
  }
}

/**
 * Batch wants multipart user data. `once`: an image that this agent has pulled is not pulled again, and the agent deletes
 * images that no container uses any more (with `prefer-cached` it deletes none, and a busy host fills up). A pull that
 * moves at all is not given up; a host that Spot takes back drains. Logs are written with the execution role, not the
 * host's, and jobs on the host's network have their own role: the AMI's defaults, said here since the host's role
 * relies on them.
 */
const hostUserData = `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="==slipway=="

--==slipway==
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
cat >> /etc/ecs/ecs.config <<'CONFIG'
ECS_IMAGE_PULL_BEHAVIOR=once
ECS_IMAGE_PULL_INACTIVITY_TIMEOUT=10m
ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true
ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST=true
CONFIG

--==slipway==--
`;
