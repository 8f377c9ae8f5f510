import { describe, expect, test } from 'vitest';
import { instanceType } from '../../infra/instance-types.ts';
import { exampleStage, synthesize } from './synthesized.ts';

const stage = exampleStage();
const { ofType, find, resources } = synthesize(stage);
const computeEnvironments = ofType('AWS::Batch::ComputeEnvironment');
const queues = ofType('AWS::Batch::JobQueue');

describe('E2 hosts', () => {
  test('every organisation has its own compute environments, instance role and security group', () => {
    expect(computeEnvironments.map((one) => one.physicalId).sort()).toEqual(
      stage.organisations
        .flatMap(({ id }) => stage.environments.map(({ name }) => `slipway-example-${id}-${name}`))
        .sort(),
    );
    for (const { id } of stage.organisations) {
      const own = computeEnvironments.filter((one) => one.stack === `slipway-example-org-${id}`);
      const profiles = new Set(own.map((one) => one.properties.ComputeResources.InstanceRole));
      const groups = new Set(own.flatMap((one) => one.properties.ComputeResources.SecurityGroupIds));
      expect([...profiles, ...groups].every((name) => String(name).includes(`-org-${id}.`))).toBe(true);
      expect(own).toHaveLength(stage.environments.length);
    }
  });

  test('hosts are in public subnets with a route to the internet and public addresses', () => {
    const subnets = new Map(ofType('AWS::EC2::Subnet').map((one) => [one.physicalId, one.properties]));
    const routed = new Set(
      ofType('AWS::EC2::Route')
        .filter((one) => one.properties.GatewayId && one.properties.DestinationCidrBlock === '0.0.0.0/0')
        .map((one) => one.properties.RouteTableId),
    );
    const tables = new Map(
      ofType('AWS::EC2::SubnetRouteTableAssociation').map(({ properties }) => [
        properties.SubnetId,
        properties.RouteTableId,
      ]),
    );
    for (const one of computeEnvironments) {
      expect(one.properties.ComputeResources.Subnets).toHaveLength(stage.availabilityZones);
      for (const subnet of one.properties.ComputeResources.Subnets) {
        expect(subnets.get(subnet)?.MapPublicIpOnLaunch).toBe(true);
        expect(routed).toContain(tables.get(subnet));
      }
    }
    expect(ofType('AWS::EC2::NatGateway')).toEqual([]);
    expect(find('AWS::EC2::VPCEndpoint').properties.VpcEndpointType).toBe('Gateway');
  });

  test.each([60, 86_400, 2_592_000])(
    'a deployment lets jobs run on, where experiments may take %i s: five days is the most that Batch allows',
    (experimentTimeoutSeconds) => {
      for (const { properties } of synthesize(exampleStage({ experimentTimeoutSeconds })).ofType(
        'AWS::Batch::ComputeEnvironment',
      ))
        expect(properties.UpdatePolicy).toEqual({
          TerminateJobsOnUpdate: false,
          JobExecutionTimeoutMinutes: 7200,
        });
    },
  );

  test('compute environments have no tags, which Batch could only change by replacing them', () => {
    for (const { properties } of computeEnvironments) {
      expect(properties.Tags).toBeUndefined();
      expect(properties.ReplaceComputeEnvironment).toBe(false);
    }
  });

  test('nothing comes in', () => {
    for (const group of ofType('AWS::EC2::SecurityGroup'))
      expect(group.properties.SecurityGroupIngress).toBeUndefined();
    expect(ofType('AWS::EC2::SecurityGroupIngress')).toEqual([]);
  });

  test('they scale to zero, by the strategy that fits their capacity', () => {
    for (const one of computeEnvironments) {
      const spot = one.physicalId.endsWith('-gpu-spot');
      expect(one.properties.ComputeResources).toMatchObject({
        MinvCpus: 0,
        Type: spot ? 'SPOT' : 'EC2',
        AllocationStrategy: spot ? 'SPOT_PRICE_CAPACITY_OPTIMIZED' : 'BEST_FIT_PROGRESSIVE',
      });
    }
  });

  test('GPU hosts boot the NVIDIA image of Amazon Linux 2023, others the plain one', () => {
    for (const one of computeEnvironments)
      expect(one.properties.ComputeResources.Ec2Configuration).toEqual([
        { ImageType: one.physicalId.includes('-gpu') ? 'ECS_AL2023_NVIDIA' : 'ECS_AL2023' },
      ]);
  });

  test('the root volume has at least 200 GiB of encrypted gp3, and metadata needs a session of this host', () => {
    const templates = new Map(
      ofType('AWS::EC2::LaunchTemplate').map((one) => [one.physicalId, one.properties]),
    );
    for (const one of computeEnvironments) {
      const { LaunchTemplate } = one.properties.ComputeResources;
      const { LaunchTemplateData: data } = templates.get(LaunchTemplate.LaunchTemplateId);
      const [{ DeviceName, Ebs }] = data.BlockDeviceMappings;
      expect(DeviceName).toBe('/dev/xvda');
      expect(Ebs).toMatchObject({ VolumeType: 'gp3', Encrypted: true });
      expect(Ebs.VolumeSize).toBeGreaterThanOrEqual(200);
      expect(data.MetadataOptions).toEqual({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
      const userData = Buffer.from(data.UserData, 'base64').toString();
      expect(userData).toMatch(/^MIME-Version: 1\.0\nContent-Type: multipart\/mixed/);
      for (const setting of [
        'ECS_IMAGE_PULL_BEHAVIOR=once',
        'ECS_IMAGE_PULL_INACTIVITY_TIMEOUT=10m',
        'ECS_ENABLE_SPOT_INSTANCE_DRAINING=true',
      ])
        expect(userData.split('\n')).toContain(setting);
    }
  });

  test('every compute leaves its host 8 % of its memory', () => {
    for (const compute of stage.computes) {
      if (compute.use !== 'run') continue;
      const names = compute.queues.flatMap(
        (name) => stage.queues.find((queue) => queue.name === name)?.environments ?? [],
      );
      for (const environment of stage.environments.filter((one) => names.includes(one.name))) {
        const largest = Math.max(
          ...environment.instanceTypes.map((name) => instanceType(name)?.memoryMiB ?? 0),
        );
        expect(compute.memoryMiB).toBeLessThanOrEqual(0.92 * largest);
      }
    }
  });
});

describe('E2 hosts that organisations share', () => {
  const shared = synthesize(exampleStage({ hosts: 'shared' }));
  const one = (type: string) => shared.ofType(`AWS::Batch::${type}`);

  test('are one set for all, in a stack of their own', () => {
    expect(one('ComputeEnvironment').map(({ physicalId }) => physicalId)).toEqual(
      stage.environments.map(({ name }) => `slipway-example-shared-${name}`),
    );
    for (const { stack } of one('ComputeEnvironment')) expect(stack).toBe('slipway-example-hosts');
    const roles = shared.ofType('AWS::IAM::Role').map(({ physicalId }) => physicalId);
    expect(roles.filter((name) => name.endsWith('-instance'))).toEqual(['slipway-example-shared-instance']);
  });

  test('still take jobs from queues of each organisation, with roles of each', () => {
    expect(one('JobQueue').map(({ physicalId }) => physicalId)).toEqual(
      queues.map(({ physicalId }) => physicalId),
    );
    for (const { properties } of one('JobQueue'))
      for (const { ComputeEnvironment } of properties.ComputeEnvironmentOrder)
        expect(ComputeEnvironment).toMatch(/\/slipway-example-shared-/);
    const roles = (from: typeof shared) =>
      from
        .ofType('AWS::IAM::Role')
        .filter(({ physicalId }) => /-(execution|job|builder)$/.test(physicalId))
        .map(({ physicalId, properties }) => [physicalId, properties.Policies]);
    expect(roles(shared)).toEqual(roles(synthesize(stage)));
  });

  test('have a role that takes part in their clusters only', () => {
    const { properties } = shared.find('AWS::IAM::Role', 'shared-instance');
    const text = JSON.stringify(properties.Policies);
    expect(text).toContain('AWSBatch-slipway-example-shared-');
    for (const { id } of stage.organisations) expect(text).not.toContain(`slipway-example-${id}`);
  });

  test('leave their name to nobody', () => {
    const organisations = [{ id: 'shared', title: 'Shared', adminEmail: 'a@b.example' }];
    expect(() => exampleStage({ hosts: 'shared', organisations })).toThrow('shared hosts');
    expect(exampleStage({ organisations }).hosts).toBe('dedicated');
  });
});

describe('E2, E15 queues', () => {
  test('one per organisation and configured queue, its environments in order', () => {
    expect(queues).toHaveLength(stage.organisations.length * stage.queues.length);
    const gpu = queues.find((one) => one.physicalId === 'slipway-example-acme-gpu');
    expect(gpu?.properties.ComputeEnvironmentOrder).toEqual([
      { Order: 1, ComputeEnvironment: 'ComputeEnvironmentArn/of/slipway-example-acme-gpu-spot' },
      { Order: 2, ComputeEnvironment: 'ComputeEnvironmentArn/of/slipway-example-acme-gpu' },
    ]);
  });

  test('each has a scheduling policy from the first deployment', () => {
    const policies = ofType('AWS::Batch::SchedulingPolicy').map((one) => one.attributes.Arn);
    for (const queue of queues) expect(policies).toContain(queue.properties.SchedulingPolicyArn);
  });

  test.each([
    [60, 600],
    [3600, 3600],
    [600_000, 86_400],
  ])(
    'a queue time-out of %i s makes Batch cancel a stuck head after %i s',
    (queueTimeoutSeconds, expected) => {
      const [queue] = synthesize(exampleStage({ queueTimeoutSeconds })).ofType('AWS::Batch::JobQueue');
      const actions: { Reason: string; MaxTimeSeconds: number }[] =
        queue?.properties.JobStateTimeLimitActions;
      expect(actions.map((one) => one.Reason)).toEqual([
        'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
        'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
        'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
      ]);
      for (const action of actions)
        expect(action).toMatchObject({ State: 'RUNNABLE', Action: 'CANCEL', MaxTimeSeconds: expected });
    },
  );
});

test('no resource is a custom one, which nothing but CloudFormation could bring to life', () => {
  expect(
    resources.filter(
      ({ type }) => type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource',
    ),
  ).toEqual([]);
});
