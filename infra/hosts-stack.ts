import { Stack } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { Hosts } from './constructs/hosts.ts';
import type { SlipwayStackProps } from './data-stack.ts';
import { sharedHosts } from './names.ts';

/** Hosts on which jobs of every organisation run, where the stage says that these trust each other. */
export class HostsStack extends Stack {
  readonly hosts: Hosts;

  constructor(scope: Construct, id: string, props: SlipwayStackProps & { vpc: IVpc }) {
    super(scope, id, props);
    const { stage, names, vpc } = props;
    this.hosts = new Hosts(this, 'Hosts', { owner: sharedHosts, stage, names, vpc });
  }
}
