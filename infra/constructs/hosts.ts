import type { Stack } from 'aws-cdk-lib';
import { type IVpc, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { CfnInstanceProfile, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Stage } from '../../shared/model/stage.ts';
import { arnsOf } from '../access/deployment.ts';
import { hostAccess } from '../access/jobs.ts';
import type { Names } from '../names.ts';
import { HostGroup } from './host-group.ts';
import { AccessRole } from './role.ts';

export interface HostsProps {
  /** An organisation, or the name for all of them together. */
  owner: string;
  stage: Stage;
  names: Names;
  vpc: IVpc;
}

/** A compute environment for each of the stage's, with the role and the security group of their hosts. */
export class Hosts extends Construct {
  readonly #environments: Map<string, HostGroup>;

  constructor(scope: Stack, id: string, { owner, stage, names, vpc }: HostsProps) {
    super(scope, id);
    const role = new AccessRole(this, 'Instance', {
      roleName: names.role(owner, 'instance'),
      description: `Hosts of ${owner}`,
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      access: hostAccess(
        arnsOf(scope),
        stage.environments.map(({ name }) => names.computeEnvironment(owner, name)),
      ),
    });
    const instanceProfile = new CfnInstanceProfile(this, 'InstanceProfile', { roles: [role.roleName] });
    const securityGroup = new SecurityGroup(this, 'Network', {
      vpc,
      description: `Hosts of ${owner}: everything out, nothing in`,
      allowAllOutbound: true,
    });
    this.#environments = new Map(
      stage.environments.map((environment) => [
        environment.name,
        new HostGroup(this, environment.name, {
          name: names.computeEnvironment(owner, environment.name),
          environment,
          vpc,
          securityGroup,
          instanceProfileArn: instanceProfile.attrArn,
        }),
      ]),
    );
  }

  /** ARN of a compute environment; the stage's schema has already refused a queue whose environment isn't there. */
  arnOf(environment: string): string {
    const found = this.#environments.get(environment);
    if (!found) throw new Error(`No environment ${environment}`);
    return found.arn;
  }
}
